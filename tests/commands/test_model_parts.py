"""A model's file is told apart by its parts; what cannot be read is one part, and no error."""

import json
from pathlib import Path

import pytest

from stages.commands import model_parts
from tests.modelmake.receipts.made_up_release import TEMPLATE, gguf_bytes, model


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_a_gguf_has_tensors_settings_a_tokenizer_and_a_template(tmp_path: Path) -> None:
    file = written(tmp_path / "x.gguf", gguf_bytes(tmp_path / "scratch"))
    parts = model_parts.of_file(file, "x.gguf")

    assert {
        "tensor blk.0.ffn_up.weight", "tensor output_norm.weight", "setting general.name",
        "tokenizer tokenizer.ggml.merges", "template tokenizer.chat_template",
    } <= parts.keys()  # fmt: skip
    assert model_parts.templates(file) == {"tokenizer.chat_template": TEMPLATE}
    assert model_parts.architecture(file) == ("llama", "")


def test_the_name_decides_what_an_object_of_a_cache_is(tmp_path: Path) -> None:
    file = written(tmp_path / "0a1b2c", model(1.0)["model.safetensors"])

    assert sorted(model_parts.of_file(file, "models/sft/model.safetensors")) == ["tensor norm", "tensor w"]


@pytest.mark.parametrize("name", ["x.gguf", "x.safetensors", "x.json"])
@pytest.mark.parametrize("content", [b"", b"GGUF\x03\x00\x00\x00", b"{", b"\xff" * 64, b"[1]"])
def test_what_cannot_be_read_is_one_part(tmp_path: Path, name: str, content: bytes) -> None:
    (part,) = model_parts.of_file(written(tmp_path / name, content), name)

    assert part.startswith("content, which cannot be read (")


@pytest.mark.parametrize("header", [b'{"__metadata__": "x"}', b'"x"', b"3"])
def test_a_safetensors_whose_header_is_none_is_one_part(tmp_path: Path, header: bytes) -> None:
    file = written(tmp_path / "x.safetensors", len(header).to_bytes(8, "little") + header)

    assert [*model_parts.of_file(file, file.name)] == ["content, which cannot be read (AttributeError)"]


def test_named_templates_of_a_tokenizer_are_all_there(tmp_path: Path) -> None:
    named = [{"name": "default", "template": "a"}, {"name": "tool_use", "template": "b"}]
    file = written(tmp_path / "tokenizer_config.json", json.dumps({"chat_template": named}).encode())

    assert model_parts.templates(file) == {"default": "a", "tool_use": "b"}
    assert model_parts.of_file(file, file.name).keys() == {"template tokenizer_config.json chat_template"}
