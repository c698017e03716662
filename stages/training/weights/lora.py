"""LoRA (Hu et al. 2021, arXiv:2106.09685): low-rank updates of frozen weights, which may be in 4 bits (QLoRA)."""

import importlib
from pathlib import Path
from typing import Any

import msgspec

from stages.params.machine import Machine
from stages.params.training import Step


def load(start: Path, params: Step, machine: Machine) -> tuple[Any, Any]:
    """The frozen model of folder `start`, and PEFT's LoraConfig."""
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM

    if params.quantization:
        qlora = importlib.import_module(params.quantization.modules()[0])
        model = qlora.load_4bit(start, params.quantization, machine.device)
    else:
        model = AutoModelForCausalLM.from_pretrained(
            start, dtype=machine.dtype, device_map=machine.device, use_safetensors=True
        )
    fields = msgspec.structs.asdict(params.weights)
    del fields["loraplus_lr_ratio"]  # of the optimizer
    none = {name: None for name, value in fields.items() if value == []}  # what PEFT calls no modules
    return model, LoraConfig(task_type="CAUSAL_LM", **fields | none)
