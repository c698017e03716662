"""The model that a step starts from, to train it or to leave it frozen."""

import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from stages.params.machine import Machine
from stages.params.training import Step
from stages.training import attention, task_types


def trainable(start: Path, params: Step, machine: Machine) -> Any:
    """The model of folder `start`; its weights are float32, whatever the folder stores."""
    import torch

    model = task_types.load(params.TASK_TYPE, start, dtype=torch.float32, device_map=machine.device)
    attention.choose(model, params.attn_implementation)
    return model


def frozen(start: Path, params: Step, machine: Machine) -> Any:
    """The model of folder `start` in the machine's dtype, or in 4 bits."""
    if params.quantization:
        qlora = importlib.import_module(params.quantization.modules()[0])
        model = qlora.load_4bit(start, params.quantization, machine.device)
        if machine.dtype == "float32":  # nothing casts from one module to the next, as autocast does in bfloat16
            in_float32(model.parameters())
    else:
        model = task_types.load(params.TASK_TYPE, start, dtype=machine.dtype, device_map=machine.device)
    attention.choose(model, params.attn_implementation)
    return model


def train_in_float32(model: Any) -> None:
    """Makes what is trained of a PEFT model float32; in bfloat16 small updates would be lost to rounding.

    PEFT does so with adapters, but copies what is trained whole in the base's dtype. Beside 4 bits TRL then rounds all
    of it to bfloat16, so that it has to begin at the base's weights again.
    """
    from peft.tuners.trainable_tokens import TrainableTokensLayer
    from peft.utils.other import ModulesToSaveWrapper

    in_float32(parameter for parameter in model.parameters() if parameter.requires_grad)
    for module in model.modules():
        if isinstance(module, ModulesToSaveWrapper):
            for copies in module.modules_to_save.values():
                for copied, weight in zip(copies.parameters(), module.original_module.parameters(), strict=True):
                    copied.data = weight.data.float().clone()
        elif isinstance(module, TrainableTokensLayer):
            for name, rows in module.trainable_tokens_delta.items():
                rows.data = module.base_layer.weight.data[module.token_indices[name]].float()


def in_float32(parameters: Iterable[Any]) -> None:
    """Makes weights float32, but those in 4 bits, which are whole numbers."""
    for parameter in parameters:
        if parameter.is_floating_point():
            parameter.data = parameter.data.float()
