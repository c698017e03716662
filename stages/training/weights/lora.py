"""LoRA (Hu et al. 2021, arXiv:2106.09685): low-rank updates of frozen weights, which may be in 4 bits (QLoRA)."""

import importlib
from pathlib import Path
from typing import Any

import msgspec

from stages.params.machine import Machine
from stages.params.training import Step
from stages.training import task_types


def load(start: Path, params: Step, machine: Machine) -> tuple[Any, Any]:
    """The frozen model of folder `start`, and PEFT's LoraConfig."""
    from peft import LoraConfig

    if params.quantization:
        qlora = importlib.import_module(params.quantization.modules()[0])
        model = qlora.load_4bit(start, params.quantization, machine.device)
    else:
        model = task_types.load(params.TASK_TYPE, start, dtype=machine.dtype, device_map=machine.device)
    fields = msgspec.structs.asdict(params.weights)
    del fields["loraplus_lr_ratio"]  # of the optimizer
    none = {name: None for name, value in fields.items() if value == []}  # what PEFT calls no modules
    return model, LoraConfig(task_type=params.TASK_TYPE, **fields | none)
