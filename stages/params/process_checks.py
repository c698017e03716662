"""Checks of steps that train in several processes, between chapters of `params.yaml`. Only preflight imports it."""

from importlib.util import find_spec

from stages.params.machine import Machine, Resources
from stages.params.training import Step


def problems(machine: Machine | None, resources: Resources | None, train: dict[str, Step | None]) -> list[str]:
    """Steps in more processes than there are threads or GPUs for, and sharding that would not be one, a line each."""
    mismatches = []
    for name, step in train.items():
        if not machine or not step or step.processes == 1:
            continue
        wanted = f"{step.processes} or more for train.{name}.processes = {step.processes}"
        if machine.threads < step.processes:
            mismatches.append(f"machine.threads = {machine.threads}: want {wanted}: a thread for each")
        if machine.device == "cuda" and resources and resources.model.gpu < step.processes:
            mismatches.append(f"resources.model.gpu = {resources.model.gpu}: want {wanted}: a GPU for each")
        if machine.device == "cpu" and step.sharding:
            mismatches.append(
                f"train.{name}.sharding = {step.sharding!r}: want null with machine.device = 'cpu': accelerate shards "
                "nothing there, and does not say so"
            )
        elif step.sharding == "zero3" and find_spec("deepspeed") is None:
            mismatches.append(f"train.{name}.sharding = 'zero3': deepspeed is not installed: `uv add deepspeed`")
    return mismatches
