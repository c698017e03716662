"""Tokenizers in GGUF files: unused ids are padded, and what llama.cpp would tokenize differently is refused.

tests/evaluating/runtimes/test_llama_cpp.py compares the tokens with those of transformers.
"""

import json
from pathlib import Path

import gguf
import pytest

from modelmake.errors import UserError
from stages.exporting.gguf_writer import write_gguf
from tests.tiny_models import SPECIAL_TOKENS, TEMPLATE, edit_json

BOS_FIRST = {"type": "TemplateProcessing", "special_tokens": {}, "pair": []} | {
    "single": [{"SpecialToken": {"id": "<|bos|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]
}


def edit(model: Path, tokenizer: dict, settings: dict) -> None:
    """Merges into tokenizer.json, where None is written as null, and into tokenizer_config.json."""
    file = model / "tokenizer.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | tokenizer))
    edit_json(model / "tokenizer_config.json", **settings)


def test_ids_without_a_token_are_unused(llama: Path, tmp_path: Path) -> None:
    write_gguf(llama, tmp_path / "a.gguf", "F16")
    reader = gguf.GGUFReader(tmp_path / "a.gguf")
    types = reader.get_field("tokenizer.ggml.token_type").contents()
    names = reader.get_field("tokenizer.ggml.tokens").contents()
    assert types[380:] == [gguf.TokenType.UNUSED] * 4
    assert names[378:] == ["<tool>", "»»", "[PAD380]", "[PAD381]", "[PAD382]", "[PAD383]"]
    assert types[378:380] == [gguf.TokenType.USER_DEFINED] * 2
    assert types[: len(SPECIAL_TOKENS)] == [gguf.TokenType.CONTROL] * len(SPECIAL_TOKENS)
    assert types[len(SPECIAL_TOKENS)] == gguf.TokenType.NORMAL


@pytest.mark.parametrize(
    ("tokenizer", "settings", "message"),
    [
        (
            {"pre_tokenizer": {"type": "Whitespace"}},
            {},
            r"pre_tokenizer = \[.*Whitespace.* want .*gpt-2, smollm",
        ),
        ({"pre_tokenizer": None}, {}, r"pre_tokenizer = \[.*want .*; train it with"),
        ({}, {"tokenizer_class": "BloomTokenizer"}, r"tokenizer_class = 'BloomTokenizer'"),
        ({"normalizer": {"type": "Lowercase"}}, {}, r"BPE with \['Lowercase'\]: want byte-level BPE without"),
        (
            {"post_processor": {"type": "RobertaProcessing"}},
            {},
            r"adds \['RobertaProcessing'\] before a text",
        ),
        ({}, {"add_eos_token": True}, r"adds \['<\|end\|>'\] and the chat template"),
        ({}, {"add_bos_token": True, "bos_token": "<|bos|>"}, r"adds \['<\|bos\|>'\] and the chat template"),
        (
            {"post_processor": BOS_FIRST},
            {"bos_token": "<|bos|>"},
            r"adds \['<\|bos\|>'\] and the chat template",
        ),
    ],
)
def test_a_tokenizer_that_llama_cpp_would_read_differently_is_refused(
    llama_copy: Path, tmp_path: Path, tokenizer: dict, settings: dict, message: str
) -> None:
    edit(llama_copy, tokenizer, settings)
    with pytest.raises(UserError, match=message):
        write_gguf(llama_copy, tmp_path / "a.gguf", "F16")


@pytest.mark.parametrize(
    ("tokenizer", "settings"),
    [
        ({}, {"eos_token": None}),  # the generation config still names one
        ({"post_processor": BOS_FIRST}, {"bos_token": "<|bos|>", "add_bos_token": False}),  # this overrides it
    ],
)
def test_settings_that_other_files_complete_or_override_are_taken(
    llama_copy: Path, tmp_path: Path, tokenizer: dict, settings: dict
) -> None:
    edit(llama_copy, tokenizer, settings)

    write_gguf(llama_copy, tmp_path / "a.gguf", "F16")


def test_a_template_with_bos_token_is_refused_where_the_tokenizer_has_none(llama_copy: Path, tmp_path: Path) -> None:
    (llama_copy / "chat_template.jinja").write_text("{{ bos_token }}" + TEMPLATE)
    with pytest.raises(UserError, match="the chat template uses bos_token and the tokenizer has none"):
        write_gguf(llama_copy, tmp_path / "a.gguf", "F16")


@pytest.mark.parametrize("saved", [True, False], ids=["files", "settings"])
def test_the_template_for_tools_is_written_beside_the_default(llama_copy: Path, tmp_path: Path, saved: bool) -> None:
    if saved:
        (llama_copy / "additional_chat_templates").mkdir()
        (llama_copy / "additional_chat_templates" / "tool_use.jinja").write_text("{{ tools }}" + TEMPLATE)
    else:
        (llama_copy / "chat_template.jinja").unlink()
        both = [{"name": "default", "template": TEMPLATE}, {"name": "tool_use", "template": "{{ tools }}" + TEMPLATE}]
        edit_json(llama_copy / "tokenizer_config.json", chat_template=both)

    write_gguf(llama_copy, tmp_path / "a.gguf", "F16")

    fields = gguf.GGUFReader(tmp_path / "a.gguf").fields
    assert fields["tokenizer.chat_template"].contents() == TEMPLATE
    assert fields["tokenizer.chat_template.tool_use"].contents() == "{{ tools }}" + TEMPLATE


def test_a_model_without_an_end_token_is_refused(llama_copy: Path, tmp_path: Path) -> None:
    edit_json(llama_copy / "tokenizer_config.json", eos_token=None)
    edit_json(llama_copy / "generation_config.json", eos_token_id=None)
    with pytest.raises(UserError, match=r"end tokens \[\].*want 1 to 3"):
        write_gguf(llama_copy, tmp_path / "a.gguf", "F16")


@pytest.mark.parametrize(("settings", "begin"), [({"bos_token": "<|bos|>"}, 5), ({}, None)])
def test_a_file_names_the_begin_token_or_says_that_none_is_added(
    llama_copy: Path, tmp_path: Path, settings: dict, begin: int | None
) -> None:
    """llama.cpp takes token 11 for a begin token that no file names."""
    edit(llama_copy, {}, settings)

    write_gguf(llama_copy, tmp_path / "a.gguf", "F16")

    fields = gguf.GGUFReader(tmp_path / "a.gguf").fields
    named = fields.get("tokenizer.ggml.bos_token_id")
    assert (named and named.contents()) == begin
    assert fields["tokenizer.ggml.add_bos_token"].contents() is False


@pytest.mark.parametrize("kind", ["bos_token", "eos_token", "pad_token"])
def test_a_special_token_that_is_not_in_the_vocabulary_is_refused(llama_copy: Path, tmp_path: Path, kind: str) -> None:
    edit(llama_copy, {}, {kind: "<|nowhere|>"})
    with pytest.raises(UserError, match=rf"tokenizer.json: no token {kind} = '<\|nowhere\|>', which"):
        write_gguf(llama_copy, tmp_path / "a.gguf", "F16")
