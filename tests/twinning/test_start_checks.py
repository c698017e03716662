"""Tokenizer, config and generation config of a base must name the same tokens."""

from pathlib import Path
from typing import Any

import pytest

from stages.twinning import start_checks
from tests.tiny_models import build_tokenizer, edit_json


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from transformers import AutoTokenizer

    folder = tmp_path_factory.mktemp("tokenizer")
    build_tokenizer(folder, bos_token="<|bos|>")
    return AutoTokenizer.from_pretrained(folder)


def found(folder: Path, tokenizer: Any, generation: dict[str, Any], **config: Any) -> list[tuple[str, str]]:
    for name, values in (("config.json", {"vocab_size": 384, **config}), ("generation_config.json", generation)):
        (folder / name).write_text("{}")
        edit_json(folder / name, **values)
    return [(fault.part, fault.what) for fault in start_checks.faults(folder, tokenizer)]


def test_the_tokenizers_own_tokens_are_right(tmp_path: Path, tokenizer: Any) -> None:
    assert found(tmp_path, tokenizer, {"eos_token_id": [0, 4]}, eos_token_id=4, bos_token_id=5, pad_token_id=2) == []
    assert found(tmp_path, tokenizer, {}) == []


def test_a_token_beyond_the_embedding_is_told(tmp_path: Path, tokenizer: Any) -> None:
    [(part, what)] = found(tmp_path, tokenizer, {}, vocab_size=379)

    assert (part, what[:36]) == ("vocabulary", "token '»»' has id 379: want all belo")


@pytest.mark.parametrize(
    ("generation", "config", "what"),
    [
        ({"eos_token_id": [0, 2]}, {}, "generation_config.json: eos_token_id = [0, 2], which is '<|pad|>', '<|user|>': "
         "want 4, the tokenizer's eos_token '<|end|>'"),
        ({}, {"bos_token_id": 1}, "config.json: bos_token_id = 1, which is '<|system|>': want 5, the tokenizer's "
         "bos_token '<|bos|>'"),
        ({}, {"pad_token_id": 384}, "config.json: pad_token_id = 384: want ids below vocab_size = 384, found 384; "
         "correct it"),
    ],
)  # fmt: skip
def test_another_special_token_is_told(
    generation: dict[str, Any], config: dict[str, Any], what: str, tmp_path: Path, tokenizer: Any
) -> None:
    assert found(tmp_path, tokenizer, generation, **config) == [("special tokens", what)]
