"""Every weight."""

from pathlib import Path
from typing import Any

from stages.params.machine import Machine
from stages.params.training import Step
from stages.training import task_types


def load(start: Path, params: Step, machine: Machine) -> tuple[Any, None]:
    """The model of folder `start`; its weights are float32, whatever the folder stores."""
    import torch

    return task_types.load(params.TASK_TYPE, start, dtype=torch.float32, device_map=machine.device), None
