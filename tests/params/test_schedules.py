"""Arguments of schedules: each schedule wants its own, in their ranges; the warm-up may be a share."""

import msgspec
import pytest

from modelmake import params
from stages.params import schedules
from stages.params.training import Step
from tests.conftest import ROOT

SFT = params.load(ROOT / "recipes/default.yaml")["train"]["sft"]


def problems(**changes: object) -> list[str]:
    return params.decode(Step, {**SFT, **changes}, "sft")[1]


@pytest.mark.parametrize(
    ("schedule", "arguments"),
    [
        ("linear", {}),
        ("inverse_sqrt", {}),
        ("cosine_with_restarts", {"num_cycles": 3}),
        ("cosine_with_min_lr", {"min_lr_rate": 0.1}),
        ("polynomial", {"lr_end": 0.0, "power": 2}),
        ("warmup_stable_decay", {"num_decay_steps": 10, "min_lr_ratio": 0.0}),
    ],
)
def test_a_schedule_takes_its_own_arguments_and_transformers_makes_it(schedule: str, arguments: dict) -> None:
    import torch
    from transformers import get_scheduler

    assert problems(lr_scheduler_type=schedule, lr_scheduler_kwargs=arguments) == []
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    made = get_scheduler(schedule, optimizer, 2, 20, arguments)
    rates = []
    for _ in range(20):
        rates.append(made.get_last_lr()[0])
        optimizer.step()
        made.step()
    assert rates[:3] == [0.0, 0.25, 0.5]  # the warm-up
    assert rates[-1] < 0.5


def test_every_schedule_with_arguments_is_one_that_may_be_named() -> None:
    assert schedules.ARGUMENTS.keys() <= set(schedules.Schedule.__args__)


@pytest.mark.parametrize(
    ("schedule", "arguments", "message"),
    [
        ("cosine", {"min_lr": 0.1}, "lr_scheduler_kwargs = ['min_lr']: want for cosine the arguments none: write {}"),
        (
            "warmup_stable_decay",
            {},
            "lr_scheduler_kwargs = []: want for warmup_stable_decay the arguments min_lr_ratio, num_decay_steps",
        ),
        (
            "cosine_with_min_lr",
            {"min_lr_rate": 1.5},
            "lr_scheduler_kwargs.min_lr_rate = 1.5: want a number from 0 to 1",
        ),
        (
            "cosine_with_restarts",
            {"num_cycles": 1.5},
            "lr_scheduler_kwargs.num_cycles = 1.5: want a whole number of at least 1",
        ),
        (
            "polynomial",
            {"lr_end": 0.002, "power": 1.0},
            "lr_scheduler_kwargs.lr_end = 0.002: want less than learning_rate = 0.002",
        ),
    ],
)
def test_arguments_that_a_schedule_does_not_take_are_told(schedule: str, arguments: dict, message: str) -> None:
    assert problems(lr_scheduler_type=schedule, lr_scheduler_kwargs=arguments) == [f"sft.{message}"]


@pytest.mark.parametrize("warmup", [0, 1, 20, 0.05, 0.999])
def test_the_warmup_is_a_number_of_steps_or_a_share_of_them(warmup: float) -> None:
    assert msgspec.convert({**SFT, "warmup_steps": warmup}, Step).warmup_steps == warmup


@pytest.mark.parametrize("warmup", [-1, 1.5, 1.0, 0.0, "0.1"])
def test_a_warmup_that_is_neither_is_refused(warmup: object) -> None:
    [problem] = problems(warmup_steps=warmup)

    assert problem.startswith(f"sft.warmup_steps = {warmup!r}: ")


def test_a_warmup_that_constant_would_leave_out_is_refused() -> None:
    assert problems(lr_scheduler_type="constant", lr_scheduler_kwargs={}, warmup_steps=0) == []
    assert problems(lr_scheduler_type="constant", lr_scheduler_kwargs={"power": 1}, warmup_steps=0.05) == [
        "sft.warmup_steps = 0.05: want 0, or lr_scheduler_type: constant_with_warmup",
        "sft.lr_scheduler_kwargs = ['power']: want for constant the arguments none: write {}",
    ]


def test_optimizers_that_do_not_run_here_are_refused_by_name() -> None:
    [problem] = problems(optim="adamw")

    assert problem.startswith("sft.optim = 'adamw': want one of adamw_torch, adamw_torch_fused, adafactor, sgd, ")
