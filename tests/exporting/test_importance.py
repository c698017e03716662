"""Importance of inputs: means of squares that each layer saw, by the names of GGUF, the same at every run."""

from pathlib import Path

import gguf
import numpy as np
import pytest

from stages.exporting import importance
from stages.exporting.gguf_writer import write_gguf
from stages.rows import jsonl
from stages.rows.row import Chat, Message, Text, make_row
from tests.tiny_models import build_model

TEXTS = ["The cat sat on the mat.", "We've seen 56789 of them, don't you think?"]


def texts(file: Path) -> Path:
    jsonl.write(file, [make_row(Text(text)) for text in TEXTS])
    return file


@pytest.mark.parametrize("architecture", ["llama", "mistral", "qwen2", "qwen3"])
def test_every_matrix_of_a_layer_has_the_width_that_it_has_in_the_file(tmp_path: Path, architecture: str) -> None:
    model = build_model(tmp_path / "model", architecture, sliding_window=None)
    write_gguf(model, tmp_path / "a.gguf", "F16")
    matrices = [tensor for tensor in gguf.GGUFReader(tmp_path / "a.gguf").tensors if len(tensor.shape) > 1]

    measured = importance.measure(model, texts(tmp_path / "rows.jsonl"))

    assert {name: len(values) for name, values in measured.inputs.items()} == {
        tensor.name: tensor.shape[0] for tensor in matrices if tensor.name.startswith("blk.")
    }
    assert len(measured.inputs) == 14  # seven of each of two layers
    assert (measured.rows, measured.cut) == (2, 0)


def test_it_is_the_mean_square_of_what_a_layer_reads(tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = build_model(tmp_path / "model")
    measured = importance.measure(model, texts(tmp_path / "rows.jsonl"))

    network, tokenizer = AutoModelForCausalLM.from_pretrained(model), AutoTokenizer.from_pretrained(model)
    with torch.inference_mode():  # the first layer reads the normalized embeddings
        ids = torch.tensor(
            [i for row in jsonl.read(tmp_path / "rows.jsonl") for i in tokenizer(row.content.text).input_ids]
        )
        first = network.model.layers[0].input_layernorm(network.model.embed_tokens(ids))  # (T, 64)
    for name in ("attn_q", "attn_k", "attn_v"):
        np.testing.assert_allclose(measured.inputs[f"blk.0.{name}.weight"], (first**2).mean(0).numpy(), rtol=1e-5)
    assert not np.allclose(measured.inputs["blk.1.attn_q.weight"], measured.inputs["blk.0.attn_q.weight"], rtol=0.1)


def test_chats_are_rendered_by_the_template_and_cut_at_the_context(tmp_path: Path) -> None:
    model = build_model(tmp_path / "model", max_position_embeddings=16)
    chat = Chat([Message("user", "The cat"), Message("assistant", "sat on the mat, and it's 1234 o'clock")])
    jsonl.write(tmp_path / "rows.jsonl", [make_row(chat)])

    measured = importance.measure(model, tmp_path / "rows.jsonl")

    assert (measured.rows, measured.cut) == (1, 1)
    again = importance.measure(model, tmp_path / "rows.jsonl")
    assert all((again.inputs[name] == values).all() for name, values in measured.inputs.items())
