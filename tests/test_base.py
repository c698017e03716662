"""The base model: made here, copied, or fetched, and never with code or pickles."""

import json
from pathlib import Path

import pytest

from modelmake.errors import UserError
from stages import base, rows
from stages.rows import Chat, Message, Pair, Text


def folder(path: Path, **config: object) -> Path:
    path.mkdir()
    (path / "config.json").write_text(json.dumps(config))
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (path / name).write_text("{}")
    (path / "model.safetensors").write_bytes(b"weights")
    return path


def test_pretraining_sees_texts_and_questions_but_no_answer() -> None:
    chat = Chat([Message("system", "s"), Message("user", "u"), Message("assistant", "a")])
    pair = Pair([Message("user", "p")], [Message("assistant", "c")], [Message("assistant", "r")])

    assert base.texts([rows.row(content) for content in (Text("t"), chat, pair)]) == ["t", "u"]


def test_a_model_folder_is_copied_without_pickles_and_code(tmp_path: Path) -> None:
    source = folder(tmp_path / "source", model_type="llama")
    (source / "pytorch_model.bin").write_bytes(b"pickle")
    (source / "modeling.py").write_text("import os")

    base.copy(source, tmp_path / "base")

    assert {file.name for file in (tmp_path / "base").iterdir()} == {
        "config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors",
    }  # fmt: skip


def test_a_folder_without_safetensors_is_refused(tmp_path: Path) -> None:
    source = folder(tmp_path / "source")
    (source / "model.safetensors").unlink()

    with pytest.raises(UserError, match=r"source: missing \*.safetensors: want a Hugging Face model folder"):
        base.copy(source, tmp_path / "base")


def test_remote_code_is_refused(tmp_path: Path) -> None:
    source = folder(tmp_path / "source", auto_map={"AutoModel": "modeling.Model"})

    with pytest.raises(UserError, match=r"auto_map asks for code from the model's author"):
        base.copy(source, tmp_path / "base")


def test_a_pin_without_a_full_revision_is_refused(tmp_path: Path) -> None:
    pin = tmp_path / "pin.json"
    pin.write_text('{"repo": "org/name", "revision": "main"}')

    with pytest.raises(UserError, match=r'want {"repo": "org/name", "revision": 40 hex digits}'):
        base.fetch(pin)


def test_an_offline_build_says_how_to_fetch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    pin = tmp_path / "pin.json"
    pin.write_text(json.dumps({"repo": "org/name", "revision": "0" * 40}))

    with pytest.raises(UserError, match=r"org/name@00000000 is not in the hub's cache, and this build is offline"):
        base.fetch(pin)


def test_the_tiny_model_stops_at_its_own_token_and_pads_with_another(built) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(built.path / "models/base")
    conversation = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ok"}]
    encoded = tokenizer.apply_chat_template(conversation, return_dict=True, return_assistant_tokens_mask=True)

    assert tokenizer.pad_token != tokenizer.eos_token
    assert tokenizer.decode(encoded["input_ids"]) == "<|user|>hi<|end|><|assistant|>ok<|end|>"
    learnt = [i for i, mask in zip(encoded["input_ids"], encoded["assistant_masks"], strict=True) if mask]
    assert tokenizer.decode(learnt) == "ok<|end|>"
