"""The frozen base in 4 bits, as QLoRA trains on it (Dettmers et al. 2023, arXiv:2305.14314), and what it stands for.

bitsandbytes rounds each linear layer but the output; `restored` gives those rounded weights back as plain ones.
"""

from pathlib import Path
from typing import Any

import msgspec

from stages.params.training import Quantization


def load(start: Path, quantization: Quantization, device: str) -> Any:
    """The model with 4-bit linear layers; everything else in the dtype that it is stored in."""
    import bitsandbytes
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    config = BitsAndBytesConfig(**msgspec.structs.asdict(quantization))
    model = AutoModelForCausalLM.from_pretrained(
        start, dtype="auto", quantization_config=config, device_map=device, use_safetensors=True
    )
    for module in model.modules():
        if isinstance(module, bitsandbytes.nn.Linear4bit):
            # Else the first forward in eval mode repacks the weights in place, on CPUs with AVX512-BF16, and
            # training afterwards gets no gradient through them, without a word.
            module.support_avx512bf16_for_cpu = False
    return model


def restored(start: Path, quantization: Quantization) -> Any:
    """The model that the adapter was trained on, as a plain one: weights rounded to 4 bits, stored as before."""
    model = load(start, quantization, "cpu")
    return model.dequantize(dtype=model.dtype)
