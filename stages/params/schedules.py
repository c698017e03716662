"""Optimizers and schedules of the learning rate, as transformers spells them, and the arguments that schedules take."""

import math
from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple

from msgspec import Meta

# Those that run with what uv.lock holds. The ones in 8 bits keep tensors of fewer than 4,096 values in 32; on a CPU a
# paged one is the same as the other, or refused (cross_checks.py).
Optimizer = Literal[
    "adamw_torch", "adamw_torch_fused", "adafactor", "sgd", "adagrad", "rmsprop", "ademamix", "lion_32bit",
    "adamw_bnb_8bit", "ademamix_8bit", "lion_8bit", "rmsprop_bnb_8bit", "paged_adamw_32bit", "paged_adamw_8bit",
    "paged_ademamix_32bit", "paged_ademamix_8bit", "paged_lion_32bit", "paged_lion_8bit",
]  # fmt: skip
Schedule = Literal[
    "linear", "cosine", "constant", "constant_with_warmup", "inverse_sqrt", "cosine_with_restarts",
    "cosine_with_min_lr", "polynomial", "warmup_stable_decay",
]  # fmt: skip
# Steps, or a share of the step's; transformers takes a number below 1 as one.
Warmup = Annotated[int, Meta(ge=0)] | Annotated[float, Meta(gt=0, lt=1)]


class Argument(NamedTuple):
    kind: type
    least: float
    most: float


ARGUMENTS = {  # {schedule: {argument: what it may be}}; a schedule wants all of its arguments
    "cosine_with_restarts": {"num_cycles": Argument(int, 1, float("inf"))},
    "cosine_with_min_lr": {"min_lr_rate": Argument(float, 0, 1)},  # share of learning_rate
    "polynomial": {"lr_end": Argument(float, 0, float("inf")), "power": Argument(float, 0, float("inf"))},
    "warmup_stable_decay": {"num_decay_steps": Argument(int, 1, float("inf")), "min_lr_ratio": Argument(float, 0, 1)},
}


def problems(schedule: str, arguments: Mapping[str, float], learning_rate: float, warmup: float) -> list[str]:
    """What is wrong with `lr_scheduler_kwargs` and `warmup_steps`, as `field: found: wanted`."""
    mismatches = []
    if schedule == "constant" and warmup:
        mismatches.append(f"warmup_steps = {warmup:g}: want 0, or lr_scheduler_type: constant_with_warmup")
    wanted = ARGUMENTS.get(schedule, {})
    if arguments.keys() != wanted.keys():
        names = ", ".join(sorted(wanted)) or "none: write {}"
        return [*mismatches, f"lr_scheduler_kwargs = {sorted(arguments)}: want for {schedule} the arguments {names}"]
    for name, value in sorted(arguments.items()):
        kind, least, most = wanted[name]
        if not least <= value <= most or (kind is int and not isinstance(value, int)):
            bounds = f"of at least {least:g}" if most == float("inf") else f"from {least:g} to {most:g}"
            mismatches.append(
                f"lr_scheduler_kwargs.{name} = {value}: want a {'whole ' if kind is int else ''}number {bounds}"
            )
        elif name == "lr_end" and value >= learning_rate:
            mismatches.append(f"lr_scheduler_kwargs.lr_end = {value}: want less than learning_rate = {learning_rate}")
    return mismatches


def step_problems(schedule: str, arguments: Mapping[str, float], warmup: float, n_steps: int) -> list[str]:
    """Parts of a schedule that a training of `n_steps` has no room for, as `field: found: wanted`."""
    warmup_steps = int(warmup) if warmup >= 1 else math.ceil(warmup * n_steps)  # as transformers rounds
    decay_steps = int(arguments.get("num_decay_steps", 0))
    if warmup_steps + decay_steps <= n_steps:
        return []
    parts = [f"warmup_steps = {warmup:g}"]
    parts += [f"lr_scheduler_kwargs.num_decay_steps = {decay_steps}"] * (decay_steps > 0)
    together = " together" * (len(parts) - 1)
    return [
        f"{' and '.join(parts)}: want no more than the {n_steps} steps of this training{together}: {schedule} would be "
        "cut off"
    ]
