"""The model that a step starts from, to train it or to leave it frozen."""

import importlib
from pathlib import Path
from typing import Any

from stages.params.machine import Machine
from stages.params.training import Step
from stages.training import task_types


def trainable(start: Path, params: Step, machine: Machine) -> Any:
    """The model of folder `start`; its weights are float32, whatever the folder stores."""
    import torch

    return task_types.load(params.TASK_TYPE, start, dtype=torch.float32, device_map=machine.device)


def frozen(start: Path, params: Step, machine: Machine) -> Any:
    """The model of folder `start` in the machine's dtype, or in 4 bits."""
    if params.quantization:
        qlora = importlib.import_module(params.quantization.modules()[0])
        return qlora.load_4bit(start, params.quantization, machine.device)
    return task_types.load(params.TASK_TYPE, start, dtype=machine.dtype, device_map=machine.device)
