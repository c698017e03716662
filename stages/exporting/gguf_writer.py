"""Writes a Hugging Face model folder as one GGUF file, with NumPy only: no torch, no compiler.

Reads `config.json`, `model.safetensors` or its shards, and the tokenizer's files (gguf_tokenizer.py). Keys and tensor
layouts follow the GGUF specification (ggml, docs/gguf.md). What GGUF cannot represent is refused with a UserError,
never approximated: the file would load and answer, but differ from the trained model.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from gguf import GGMLQuantizationType

from modelmake.errors import UserError
from stages.exporting import tensor_sources
from stages.exporting.gguf_tokenizer import add_tokenizer
from stages.exporting.tensor_sources import TensorSource

QUANTS = ("F32", "F16", "BF16", "Q8_0", "Q5_1", "Q5_0", "Q4_1", "Q4_0")  # those that the gguf package computes in NumPy
ARCHITECTURES = {
    "llama": gguf.MODEL_ARCH.LLAMA,
    "mistral": gguf.MODEL_ARCH.LLAMA,
    "qwen2": gguf.MODEL_ARCH.QWEN2,
    "qwen3": gguf.MODEL_ARCH.QWEN3,
}
# Settings that llama.cpp's graphs of these architectures assume
REQUIRED_SETTINGS = {"hidden_act": "silu", "use_sliding_window": False, "partial_rotary_factor": 1.0}
OF_ARCHITECTURES = {"mistral": {"sliding_window": None}}  # more of them; null, or no such setting
SAFETENSORS_DTYPES = {"F32": np.float32, "F16": np.float16, "BF16": np.uint16}  # NumPy has no bfloat16


def write_gguf(model: Path, gguf_file: Path, quant: str) -> dict[str, Any]:
    """Writes the Hugging Face folder `model` as `gguf_file`; the bytes depend on the folder's content only.

    `quant` is one of QUANTS. One-dimensional tensors stay F32. Matrices whose rows are no multiple of the quant's
    block become F16. Below eight bits the output matrix (the embedding, if tied) is Q8_0, as its errors harm most.

    Returns `{architecture, pre_tokenizer, parameters, tensors: {type: count}, bytes}`.

    Raises:
        UserError: GGUF cannot represent the model faithfully.
    """
    if quant not in QUANTS:
        raise UserError(f"quant = {quant!r}: want one of {', '.join(QUANTS)}; let llama.cpp quantize an F16 file")
    config = _read_json(model / "config.json")
    architecture = check(model)
    writer = gguf.GGUFWriter(gguf_file, gguf.MODEL_ARCH_NAMES[ARCHITECTURES[architecture]])
    writer.add_type("model")
    writer.add_file_type(gguf.LlamaFileType["ALL_F32" if quant == "F32" else f"MOSTLY_{quant}"])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    _add_sizes(writer, config)
    pre_tokenizer = add_tokenizer(writer, model, config)

    sources = _named_sources(model, config)
    output = "output.weight" if "output.weight" in sources else "token_embd.weight"
    types = {name: _tensor_type(source.shape, quant, name == output) for name, source in sources.items()}
    rope_factors = _rope_factors(model, config)
    if rope_factors is not None:
        shape, dtype, nbytes = rope_factors.shape, rope_factors.dtype, rope_factors.nbytes
        writer.add_tensor_info("rope_freqs.weight", shape, dtype, nbytes)
    for name, source in sources.items():
        block, block_bytes = gguf.GGML_QUANT_SIZES[types[name]]
        nbytes = int(np.prod(source.shape)) // block * block_bytes
        writer.add_tensor_info(name, source.shape, np.dtype(np.float32), nbytes, raw_dtype=types[name])

    # One tensor at a time, so that memory holds the largest tensor and not the model.
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    if rope_factors is not None:
        writer.write_tensor_data(rope_factors)
    for name, source in sources.items():
        writer.write_tensor_data(_quantized(name, source, types[name], config))
    writer.close()
    return {
        "architecture": architecture,
        "pre_tokenizer": pre_tokenizer,
        "parameters": sum(int(np.prod(source.shape)) for source in sources.values()),
        "tensors": dict(sorted(Counter(qtype.name for qtype in types.values()).items())),
        "bytes": gguf_file.stat().st_size,
    }


def _read_json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def check(model: Path) -> str:
    """The model_type of the folder's config.json.

    Raises:
        UserError: llama.cpp would compute the model differently from transformers.
    """
    config = _read_json(model / "config.json")
    architecture = config.get("model_type")
    if architecture not in ARCHITECTURES:
        raise UserError(
            f"{model / 'config.json'}: model_type = {architecture!r}: want one of {', '.join(ARCHITECTURES)};"
            " use llama.cpp's own convert_hf_to_gguf.py"
        )
    for key, required in (REQUIRED_SETTINGS | OF_ARCHITECTURES.get(architecture, {})).items():
        if config.get(key) not in (required, None):
            raise UserError(
                f"{model / 'config.json'}: {key} = {config[key]!r}: want {required!r}, which is what llama.cpp "
                f"computes for {architecture}; serve this model with transformers or vLLM"
            )
    return architecture


def _heads(config: dict) -> tuple[int, int, int]:
    """Number of query heads, number of key and value heads, and dimension of a head."""
    heads = config["num_attention_heads"]
    head_dim = config.get("head_dim") or config["hidden_size"] // heads
    return heads, config.get("num_key_value_heads") or heads, head_dim


def _rope(config: dict) -> dict[str, Any]:
    """RoPE settings as written by transformers 5 (`rope_parameters`) or 4 (`rope_theta`, `rope_scaling`)."""
    default = {"rope_theta": config.get("rope_theta", 10000.0), "rope_type": "default"}
    return default | (config.get("rope_parameters") or config.get("rope_scaling") or {})


def _add_sizes(writer: gguf.GGUFWriter, config: dict) -> None:
    heads, kv_heads, head_dim = _heads(config)
    writer.add_vocab_size(config["vocab_size"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_key_length(head_dim)
    writer.add_value_length(head_dim)
    writer.add_rope_dimension_count(head_dim)
    writer.add_rope_freq_base(_rope(config)["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])


def _rope_factors(model: Path, config: dict) -> np.ndarray | None:
    """Llama 3's divisors of the RoPE frequencies, (head_dim / 2,); None where they are not scaled.

    Low frequencies are divided by `factor`, high ones kept, those in between interpolated (transformers,
    modeling_rope_utils.py).
    """
    rope = _rope(config)
    if rope["rope_type"] == "default":
        return None
    if rope["rope_type"] != "llama3" or config["model_type"] != "llama":
        raise UserError(
            f"{model / 'config.json'}: rope_type = {rope['rope_type']!r} of {config['model_type']}: want "
            "'default', or 'llama3' of llama; use llama.cpp's own convert_hf_to_gguf.py"
        )
    _, _, head_dim = _heads(config)
    frequencies = rope["rope_theta"] ** -(np.arange(0, head_dim, 2) / head_dim)  # radians per token
    rotations = rope["original_max_position_embeddings"] * frequencies / (2 * np.pi)  # within the original context
    low, high = rope["low_freq_factor"], rope["high_freq_factor"]
    smooth = np.clip((rotations - low) / (high - low), 0, 1)  # 0: divided by factor, 1: kept
    return (1 / ((1 - smooth) / rope["factor"] + smooth)).astype(np.float32)


def _named_sources(model: Path, config: dict) -> dict[str, TensorSource]:
    """{GGUF name: source}, sorted by name, so that bytes do not depend on how the weights are sharded."""
    names = gguf.get_tensor_name_map(ARCHITECTURES[config["model_type"]], config["num_hidden_layers"])
    tied = config.get("tie_word_embeddings", False)
    named = {}
    for name, source in tensor_sources.read(model):
        if tied and name == "lm_head.weight":
            continue  # a copy of the embedding
        gguf_name = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if gguf_name is None or source.dtype not in SAFETENSORS_DTYPES:
            raise UserError(
                f"{source.path}: tensor {name!r} of type {source.dtype}: want a plain {config['model_type']} "
                f"causal model in {', '.join(SAFETENSORS_DTYPES)}; merge adapters and dequantize first"
            )
        named[gguf_name] = source
    if not tied and "output.weight" not in named:
        raise UserError(
            f"{model}: no lm_head.weight: want one, for config.json's tie_word_embeddings is false; "
            "save the model with save_pretrained"
        )
    return dict(sorted(named.items()))


def _tensor_type(shape: tuple[int, ...], quant: str, is_output: bool) -> GGMLQuantizationType:
    if len(shape) == 1:
        return GGMLQuantizationType.F32
    qtype = GGMLQuantizationType["Q8_0" if is_output and quant.startswith(("Q4", "Q5")) else quant]
    block, _ = gguf.GGML_QUANT_SIZES[qtype]
    return qtype if shape[-1] % block == 0 else GGMLQuantizationType.F16


def _quantized(name: str, source: TensorSource, qtype: GGMLQuantizationType, config: dict) -> np.ndarray:
    """One tensor in the layout and type that the GGUF file stores."""
    weights = np.memmap(source.path, SAFETENSORS_DTYPES[source.dtype], "r", source.offset, source.shape)
    if source.dtype == "BF16":  # the upper 16 bits of a float32
        weights = np.left_shift(weights, 16, dtype=np.uint32).view(np.float32)
    weights = np.asarray(weights, np.float32)
    heads, kv_heads, _ = _heads(config)
    is_llama = ARCHITECTURES[config["model_type"]] == gguf.MODEL_ARCH.LLAMA
    rotated = {"attn_q": heads, "attn_k": kv_heads} if is_llama else {}
    if (layer := name.split(".")[-2]) in rotated:
        # RoPE pairs feature i with i + head_dim / 2 in transformers, with its neighbour in llama.cpp's llama:
        # reorder the rows (heads * head_dim, …).
        halves = weights.reshape(rotated[layer], 2, -1, *weights.shape[1:])
        weights = np.ascontiguousarray(halves.swapaxes(1, 2)).reshape(weights.shape)
    with np.errstate(over="ignore", invalid="ignore"):  # checked below
        quantized = gguf.quants.quantize(weights, qtype)
    if not np.isfinite(quantized if quantized.dtype == np.float16 else weights).all():
        raise UserError(
            f"{source.path}: {name} as {qtype.name}: want finite numbers within that type's range; "
            "take BF16 instead of F16, or look into the training"
        )
    return quantized
