"""GGUF files: the same folder gives the same bytes, and what GGUF cannot hold is refused.

tests/evaluating/runtimes/test_llama_cpp.py tests that llama.cpp reads them.
"""

import shutil
from pathlib import Path

import gguf
import numpy as np
import pytest

from modelmake.errors import UserError
from stages.exporting.gguf_writer import write_gguf
from tests.tiny_models import build_model, edit_json


def tensors_of(gguf_file: Path) -> dict[str, gguf.ReaderTensor]:
    return {tensor.name: tensor for tensor in gguf.GGUFReader(gguf_file).tensors}


@pytest.mark.parametrize("quant", ["F32", "Q8_0"])
def test_bytes_depend_on_content_only(llama: Path, llama_copy: Path, tmp_path: Path, quant: str) -> None:
    first = write_gguf(llama, tmp_path / "a.gguf", quant)
    second = write_gguf(llama_copy, tmp_path / "elsewhere.gguf", quant)
    assert (tmp_path / "a.gguf").read_bytes() == (tmp_path / "elsewhere.gguf").read_bytes()
    assert first == second
    assert first["bytes"] == (tmp_path / "a.gguf").stat().st_size
    assert str(tmp_path).encode() not in (tmp_path / "a.gguf").read_bytes()


def test_shards_give_the_same_bytes(llama: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    sharded = shutil.copytree(llama, tmp_path / "sharded", ignore=shutil.ignore_patterns("*.safetensors"))
    AutoModelForCausalLM.from_pretrained(llama).save_pretrained(sharded, max_shard_size="100KB")
    assert len(list(sharded.glob("*.safetensors"))) > 1
    write_gguf(llama, tmp_path / "one.gguf", "F16")
    write_gguf(sharded, tmp_path / "many.gguf", "F16")
    assert (tmp_path / "one.gguf").read_bytes() == (tmp_path / "many.gguf").read_bytes()


def test_bfloat16_weights_are_widened_exactly(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    model = build_model(tmp_path / "bf16", "qwen3", dtype="bfloat16")
    widened = shutil.copytree(model, tmp_path / "f32")
    weights = load_file(model / "model.safetensors")
    save_file({name: tensor.float() for name, tensor in weights.items()}, widened / "model.safetensors")
    for quant in ("F32", "BF16"):
        write_gguf(model, tmp_path / "bf16.gguf", quant)
        write_gguf(widened, tmp_path / "f32.gguf", quant)
        assert (tmp_path / "bf16.gguf").read_bytes() == (tmp_path / "f32.gguf").read_bytes()
    tensor = tensors_of(tmp_path / "bf16.gguf")["blk.0.ffn_up.weight"]
    source = weights["model.layers.0.mlp.up_proj.weight"].float().numpy()
    assert (gguf.quants.dequantize(tensor.data, tensor.tensor_type) == source).all()


def test_norms_are_f32_and_rows_that_fill_no_block_f16(llama_copy: Path, tmp_path: Path) -> None:
    build_model(llama_copy, intermediate_size=80)  # two matrices have rows of 80, no multiple of the block of 32
    report = write_gguf(llama_copy, tmp_path / "q4.gguf", "Q4_0")
    types = {name: tensor.tensor_type.name for name, tensor in tensors_of(tmp_path / "q4.gguf").items()}
    assert types["output_norm.weight"] == types["blk.0.attn_norm.weight"] == "F32"
    assert types["token_embd.weight"] == "Q8_0"  # also the output matrix, as the weights are tied
    assert types["blk.1.ffn_down.weight"] == "F16"
    assert types["blk.1.ffn_up.weight"] == types["blk.1.attn_q.weight"] == "Q4_0"
    assert report["tensors"] == {"F16": 2, "F32": 5, "Q4_0": 12, "Q8_0": 1}


def test_llama3_rope_factors_are_those_of_transformers(llama_copy: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    rope = {
        "rope_type": "llama3",
        "rope_theta": 10000.0,
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64,
    }
    edit_json(llama_copy / "config.json", rope_parameters=rope)
    write_gguf(llama_copy, tmp_path / "a.gguf", "F32")
    factors = tensors_of(tmp_path / "a.gguf")["rope_freqs.weight"].data
    expected = AutoModelForCausalLM.from_pretrained(llama_copy).model.rotary_emb.inv_freq.numpy()
    plain = 10000.0 ** -(np.arange(0, 16, 2) / 16)
    np.testing.assert_allclose(plain / factors, expected, rtol=1e-6)
    assert len(np.unique(factors)) > 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"model_type": "gpt_neox"},
            r"config.json: model_type = 'gpt_neox': want one of llama, mistral, qwen2, qwen3; use",
        ),
        ({"hidden_act": "gelu"}, r"config.json: hidden_act = 'gelu': want 'silu'"),
        ({"use_sliding_window": True}, r"use_sliding_window = True: want False"),
        ({"model_type": "mistral", "sliding_window": 64}, r"sliding_window = 64: want None, which is what llama.cpp"),
        (
            {"rope_parameters": {"rope_type": "yarn"}},
            r"rope_type = 'yarn' of llama: want 'default', or 'llama3'",
        ),
        ({"vocab_size": 300}, r"tokenizer.json: token id 379: want all below config.json's vocab_size = 300"),
        ({"tie_word_embeddings": False}, r"no lm_head.weight: want one"),
        ({"num_hidden_layers": 1}, r"tensor 'model.layers.1.*want a plain llama causal model"),
    ],
)
def test_a_config_that_llama_cpp_would_compute_differently_is_refused(
    llama_copy: Path, tmp_path: Path, changes: dict, message: str
) -> None:
    edit_json(llama_copy / "config.json", **changes)
    with pytest.raises(UserError, match=message):
        write_gguf(llama_copy, tmp_path / "a.gguf", "F16")


@pytest.mark.parametrize(("value", "quant"), [(1e6, "F16"), (float("nan"), "Q8_0")])
def test_weights_that_are_not_finite_are_refused(llama_copy: Path, tmp_path: Path, value: float, quant: str) -> None:
    from safetensors.numpy import load_file, save_file

    weights = load_file(llama_copy / "model.safetensors")
    weights["model.layers.1.mlp.up_proj.weight"][3, 4] = value
    save_file(weights, llama_copy / "model.safetensors")
    with pytest.raises(UserError, match=f"blk.1.ffn_up.weight as {quant}: want finite"):
        write_gguf(llama_copy, tmp_path / "a.gguf", quant)


def test_an_unknown_quant_is_refused(llama: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"quant = 'Q4_K_M': want one of F32, .*; let llama.cpp quantize"):
        write_gguf(llama, tmp_path / "a.gguf", "Q4_K_M")
    assert not (tmp_path / "a.gguf").exists()
