"""Prompts of the runtime have the tokens of those in training, or are counted; texts are asked in their normal form."""

from pathlib import Path
from typing import Any

import pytest

from stages.evaluating import served_prompts
from stages.evaluating.runtimes import llama_cpp, transformers
from stages.exporting.gguf_writer import write_gguf
from tests.tiny_models import TEMPLATE, build_model, build_tokenizer, edit_json, teach

APART, COMPOSED = "Zu\u0308rich", "Zürich"  # u with a combining diaeresis, and one character


def asked(*texts: str) -> list[dict[str, Any]]:
    return [{"messages": [{"role": "user", "content": text}], "tools": []} for text in texts]


@pytest.fixture
def composing(tmp_path: Path) -> Path:
    """A model whose tokenizer does NFC, as Qwen's do, and its file."""
    folder = tmp_path / "model"
    build_tokenizer(folder, "qwen2")
    edit_json(folder / "tokenizer.json", normalizer={"type": "NFC"})
    edit_json(folder / "tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast")
    teach(build_model(folder, "qwen3"), asked(COMPOSED, "Hi"), ["It is noon.", "Hello."])
    write_gguf(folder, folder / "a.gguf", "F32")
    return folder


def test_what_is_asked_of_llama_cpp_is_normalized_first_and_counted(composing: Path, tmp_path: Path) -> None:
    file, questions = composing / "a.gguf", asked(APART, COMPOSED, "Hi")
    [raw, composed] = llama_cpp.tokenize(file, [APART, COMPOSED])
    assert raw != composed  # llama.cpp does no NFC by itself

    found = served_prompts.compare(composing, file, llama_cpp, questions)
    assert found["changed"] == 0
    assert (found["normal_form"], found["not_normal"]) == ("NFC", 1)

    settings = {"max_new_tokens": 20, "threads": 1, "context_tokens": 256, "checkpoint": tmp_path / "batches"}
    answers = [answer.text for answer in llama_cpp.generate(file, questions, **settings)]
    assert answers == ["It is noon.", "It is noon.", "Hello."]


def test_a_file_that_does_not_say_its_normal_form_changes_such_prompts(composing: Path) -> None:
    file = composing / "a.gguf"
    content = file.read_bytes()
    assert content.count(b"modelmake.tokenizer.normal_form") == 1
    file.write_bytes(content.replace(b"modelmake.tokenizer.normal_form", b"modelmake.tokenizer.normal_none"))

    found = served_prompts.compare(composing, file, llama_cpp, asked(APART, COMPOSED, "Hi"))
    assert (found["changed"], found["not_normal"]) == (1, 1)


def test_a_runtime_with_the_tokenizer_of_training_needs_no_normal_form(composing: Path) -> None:
    found = served_prompts.compare(composing, composing, transformers, asked(APART))

    assert (found["changed"], found["normal_form"], found["not_normal"]) == (0, None, 0)


def test_shapes_that_held_out_rows_lack_are_looked_at_too(tmp_path: Path) -> None:
    refusing = "{% if messages[0].role == 'system' %}{{ raise_exception('none') }}{% endif %}" + TEMPLATE
    build_tokenizer(tmp_path / "model", chat_template=refusing)
    model = build_model(tmp_path / "model")
    write_gguf(model, tmp_path / "a.gguf", "F16")

    found = served_prompts.compare(model, tmp_path / "a.gguf", llama_cpp, asked("Hi"))
    assert found["shapes"] == {"system": "refused", "several turns": "same", "tools": "same", "calls": "same"}


def test_a_template_that_is_another_in_the_file_changes_prompts(tmp_path: Path) -> None:
    build_tokenizer(tmp_path / "model", chat_template=TEMPLATE.replace("<|user|>", "<|tool|>"))
    model = build_model(tmp_path / "model")
    write_gguf(model, tmp_path / "a.gguf", "F16")
    (model / "chat_template.jinja").write_text(TEMPLATE.replace("<|{{ m.role }}|>", "<|{{ m.role }}|> "))

    found = served_prompts.compare(model, tmp_path / "a.gguf", llama_cpp, asked("Hi", "Bye"))
    assert found["changed"] == 2 and set(found["shapes"].values()) == {"changed"}


def test_two_begin_tokens_are_told(tmp_path: Path) -> None:
    build_tokenizer(tmp_path / "model", chat_template="{{ bos_token }}{{ bos_token }}" + TEMPLATE, bos_token="<|bos|>")
    model = build_model(tmp_path / "model")
    write_gguf(model, tmp_path / "a.gguf", "F16")
    (model / "chat_template.jinja").write_text("{{ bos_token }}" + TEMPLATE)

    found = served_prompts.compare(model, tmp_path / "a.gguf", llama_cpp, asked("Hi"))
    assert (found["changed"], found["begin_twice"]) == (1, 1)
