"""Every weight."""

from pathlib import Path
from typing import Any

from stages.params.machine import Machine
from stages.params.training import Step


def load(start: Path, params: Step, machine: Machine) -> tuple[Any, None]:
    """The model of folder `start`; its weights are float32, whatever the folder stores."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(
        start, dtype=torch.float32, device_map=machine.device, use_safetensors=True
    )
    return model, None
