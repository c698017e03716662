"""Four and eight bits by bitsandbytes: a folder that transformers loads, and QLoRA starts from."""

from pathlib import Path
from typing import Any

import bitsandbytes  # noqa: F401 (transformers packs with it; imported here so that the stage's key covers it)

from stages.params.release import Bitsandbytes

SETTINGS: dict[str, dict[str, Any]] = {  # of transformers' BitsAndBytesConfig
    "nf4": {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True},
    "llm_int8": {"load_in_8bit": True},
}


def quantize(weights: Path, calibration: Path, folder: Path, quant: str, params: Bitsandbytes) -> str:
    """Writes a model folder, its weights packed on the CPU before the model has run. No remark."""
    from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

    config = BitsAndBytesConfig(**SETTINGS[quant])
    model = AutoModelForCausalLM.from_pretrained(
        weights, dtype="auto", quantization_config=config, device_map="cpu", use_safetensors=True
    )
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(weights).save_pretrained(folder)
    return ""
