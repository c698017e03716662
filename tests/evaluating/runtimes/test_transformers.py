"""The transformers runtime: greedy decoding and likelihoods, whatever the batch size and the folder's settings."""

import os
import shutil
from pathlib import Path

import pytest

from modelmake.errors import UserError
from stages.evaluating.runtimes.transformers import context, generate, text_likelihoods
from stages.evaluating.text_likelihood import TextLikelihood
from tests.tiny_models import build_model, edit_json, teach

CONVERSATIONS = [
    {"messages": [{"role": "user", "content": content}], "tools": []}
    for content in ("Hi", "The cat sat on the mat.", "1234 " * 10, "", "don't", "We've seen 56789 of them.")
]
ANSWERS = ["a cat", " sat on  it\n", "1234", "", "first<|bos|> second", "Grüße 🙂"]
SETTINGS = {"max_new_tokens": 24, "batch_size": 1, "device": "cpu", "dtype": "float32", "checkpoint": Path(os.devnull)}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return teach(build_model(tmp_path_factory.mktemp("model")), CONVERSATIONS, ANSWERS)


def greedy(model: Path, conversation: dict) -> str:
    """The definition: the most likely next token, computed from the whole text, until an end token."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer, network = AutoTokenizer.from_pretrained(model), AutoModelForCausalLM.from_pretrained(model)
    prompt = tokenizer.apply_chat_template(conversation["messages"], add_generation_prompt=True)["input_ids"]
    ids = list(prompt)
    with torch.no_grad():
        while (len(ids) < len(prompt) + 24 and ids[-1] != tokenizer.eos_token_id) or ids == prompt:
            ids.append(int(network(torch.tensor([ids])).logits[0, -1].argmax()))
    return tokenizer.decode(ids[len(prompt) :], skip_special_tokens=True)


@pytest.mark.parametrize("batch_size", [1, 4, 100])
def test_answers_are_greedy_and_in_the_order_of_conversations(model: Path, batch_size: int) -> None:
    answers = [found.text for found in generate(model, CONVERSATIONS, **(SETTINGS | {"batch_size": batch_size}))]
    assert answers == [greedy(model, conversation) for conversation in CONVERSATIONS]
    assert answers == [answer.replace("<|bos|>", "") for answer in ANSWERS]


def test_sampling_settings_of_the_folder_are_ignored(model: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(model, tmp_path / "copy")
    edit_json(copy / "generation_config.json", do_sample=True, temperature=2.0, repetition_penalty=5.0, top_k=3)
    assert generate(copy, CONVERSATIONS, **SETTINGS) == generate(model, CONVERSATIONS, **SETTINGS)


def test_generation_stops_at_each_end_token(model: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(model, tmp_path / "copy")
    edit_json(copy / "generation_config.json", eos_token_id=[4, 5])  # <|end|> and <|bos|>
    assert generate(copy, CONVERSATIONS, **SETTINGS)[4][:2] == ("first", False)


def test_a_model_without_an_end_token_is_an_error(model: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(model, tmp_path / "copy")
    edit_json(copy / "generation_config.json", eos_token_id=None)
    edit_json(copy / "tokenizer_config.json", eos_token=None)
    with pytest.raises(UserError, match="no eos_token: want one to end answers"):
        generate(copy, CONVERSATIONS, **SETTINGS)


def test_a_conversation_that_the_template_refuses_is_an_error_of_one_line(model: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(model, tmp_path / "copy")
    template = (copy / "chat_template.jinja").read_text()
    refusal = "{% if messages[0].content == 'Hi' %}{{ raise_exception('no\ngreetings') }}{% endif %}"
    (copy / "chat_template.jinja").write_text(refusal + template)

    expected = rf"^{copy}: conversation 1: the chat template refuses it: no greetings$"
    with pytest.raises(UserError, match=expected):
        generate(copy, [CONVERSATIONS[1], CONVERSATIONS[0]], **SETTINGS)


def test_a_conversation_longer_than_the_context_is_an_error(model: Path) -> None:
    long = {"messages": [{"role": "user", "content": "cat " * 250}], "tools": []}
    with pytest.raises(UserError, match=r"conversation 1: \d+ tokens and max_new_tokens = 24: want at most the"):
        generate(model, [CONVERSATIONS[0], long], **SETTINGS)


def test_an_answer_that_the_model_had_not_ended_is_told(model: Path) -> None:
    short = generate(model, CONVERSATIONS[:2], **(SETTINGS | {"max_new_tokens": 1}))

    assert [found.cut for found in generate(model, CONVERSATIONS[:2], **SETTINGS)] == [False, False]
    assert [found.cut for found in short] == [True, True]
    assert all(answer.startswith(found.text) for found, answer in zip(short, ANSWERS, strict=False))


def test_no_conversations_have_no_answers(model: Path) -> None:
    assert generate(model, [], **SETTINGS) == []


TEXTS = ["The cat sat on the mat.", "Grüße 🙂 and 1234 " * 5, "a"]
READING = {
    "context_tokens": 256,
    "batch_size": 1,
    "device": "cpu",
    "dtype": "float32",
    "checkpoint": Path(os.devnull),
}


def likelihood(model: Path, text: str, context_tokens: int) -> TextLikelihood:
    """The definition: each token is predicted from the tokens before it in its window, one at a time."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer, network = AutoTokenizer.from_pretrained(model), AutoModelForCausalLM.from_pretrained(model)
    first = tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id
    tokens = [first, *tokenizer.encode(text, add_special_tokens=False)]
    nats, hits = 0.0, 0
    for at in range(1, len(tokens)):
        start = (at - 1) // context_tokens * context_tokens
        with torch.no_grad():
            logits = network(torch.tensor([tokens[start:at]])).logits[0, -1]
        nats -= float(logits.log_softmax(-1)[tokens[at]])
        hits += int(logits.argmax()) == tokens[at]
    return TextLikelihood(nats, hits, len(tokens) - 1, len(text.encode()))


@pytest.mark.parametrize("batch_size", [1, 2, 100])
@pytest.mark.parametrize("context_tokens", [256, 7, 1])
def test_every_token_of_a_text_is_predicted_once_from_its_window(
    model: Path, batch_size: int, context_tokens: int
) -> None:
    likelihoods = text_likelihoods(
        model, TEXTS, **(READING | {"batch_size": batch_size, "context_tokens": context_tokens})
    )

    for result, text in zip(likelihoods, TEXTS, strict=True):
        expected = likelihood(model, text, context_tokens)
        assert result.nats == pytest.approx(expected.nats, rel=1e-4)
        assert result[1:] == expected[1:]


def test_a_text_that_the_model_learnt_has_fewer_nats_a_token(model: Path) -> None:
    learnt, other = text_likelihoods(model, ["a cat", "tac a"], **READING)

    assert learnt.nats / learnt.tokens < other.nats / other.tokens


def test_windows_longer_than_the_models_context_are_an_error(model: Path) -> None:
    with pytest.raises(UserError, match="context_tokens = 257: want at most the model's max_position_embeddings = 256"):
        text_likelihoods(model, TEXTS, **(READING | {"context_tokens": 257}))


def test_no_texts_have_no_likelihoods(model: Path) -> None:
    assert text_likelihoods(model, [], **READING) == []


def test_the_context_is_that_of_the_text_part_and_has_no_end_where_none_is_named() -> None:
    from transformers import BloomConfig, Gemma3Config, Gemma3TextConfig

    text = Gemma3TextConfig(max_position_embeddings=99)
    assert context(Gemma3Config(text_config=text.to_dict())) == context(text) == 99
    assert context(BloomConfig()) == float("inf")
