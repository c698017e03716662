"""QLoRA's frozen base (Dettmers et al. 2023, arXiv:2305.14314): linear layers in 4 bits, for training and merging.

bitsandbytes quantizes every linear layer but the output layer.
"""

from pathlib import Path
from typing import Any

import msgspec

from stages.params.weights import Quantization


def load_4bit(start: Path, quantization: Quantization, device: str) -> Any:
    """The model of folder `start` with 4-bit linear layers; all other weights keep their stored dtype."""
    import bitsandbytes
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    config = BitsAndBytesConfig(**msgspec.structs.asdict(quantization))
    model = AutoModelForCausalLM.from_pretrained(
        start, dtype="auto", quantization_config=config, device_map=device, use_safetensors=True
    )
    for module in model.modules():
        if isinstance(module, bitsandbytes.nn.Linear4bit):
            # On CPUs with AVX512-BF16 the first forward in eval mode would repack the weights in place, and training
            # after it would get no gradient through them.
            module.support_avx512bf16_for_cpu = False
    return model


def load_dequantized(start: Path, quantization: Quantization) -> Any:
    """The base that the adapter was trained on: weights rounded to 4 bits, then stored in their own dtype again."""
    model = load_4bit(start, quantization, "cpu")
    return model.dequantize(dtype=model.dtype)
