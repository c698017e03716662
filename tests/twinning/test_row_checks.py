"""The tokens that a step trains on are held against the words of their rows."""

from typing import Any

import pytest

from stages.rows.row import Chat, Message, Text, make_row
from stages.training import tokens
from stages.training.row_renderer import RowRenderer
from stages.training.tokens import Encoded, Tokens
from stages.twinning import row_checks
from tests.tiny_models import build_tokenizer

END = 4
ROW = make_row(Chat([Message("user", "What is seen?"), Message("assistant", "They'll come.")]))


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from transformers import AutoTokenizer

    folder = tmp_path_factory.mktemp("tokenizer")
    build_tokenizer(folder, bos_token="<|bos|>")
    return AutoTokenizer.from_pretrained(folder)


def encode(tokenizer: Any, row: Any, loss: Any) -> Encoded:
    [found] = tokens.encode([row.content], tokenizer, RowRenderer(tokenizer, loss, ["<|end|>"], []))
    return found


def encoded(tokenizer: Any) -> Tokens:
    [side] = encode(tokenizer, ROW, "assistant").sides
    return side


def found(tokenizer: Any, side: Tokens, row: Any = ROW, loss: Any = "assistant") -> list[tuple[str, str, str]]:
    changed = encode(tokenizer, row, loss)._replace(sides=[side])
    faults = row_checks.faults([row], [changed], tokenizer, {END}, loss, "train.sft")
    return [(fault.part, fault.row, fault.what) for fault in faults]


def test_the_assistants_words_and_their_end_are_right(tokenizer: Any) -> None:
    assert found(tokenizer, encoded(tokenizer)) == []


def test_an_end_token_outside_of_the_mask_is_told(tokenizer: Any) -> None:
    ids, [(start, end)], answer = encoded(tokenizer)

    [(part, row, what)] = found(tokenizer, Tokens(ids, [(start, end - 1)], answer))

    assert (part, row) == ("mask", ROW.id)
    assert what.startswith("trained tokens end with ") and "want '<|end|>' among them" in what


def test_words_of_the_user_in_the_loss_are_told(tokenizer: Any) -> None:
    ids, [(_, end)], answer = encoded(tokenizer)

    assert found(tokenizer, Tokens(ids, [(0, end)], answer)) == [
        ("mask", ROW.id, "the loss sees words of a user turn: 'What is seen?': want them masked")
    ]


def test_words_of_the_assistant_outside_of_the_loss_are_told(tokenizer: Any) -> None:
    ids, [(_, end)], answer = encoded(tokenizer)

    assert found(tokenizer, Tokens(ids, [(end - 1, end)], answer)) == [
        ("mask", ROW.id, "the loss does not see the assistant's words: \"They'll come.\": want all of them trained")
    ]


def test_two_begin_tokens_are_told(tokenizer: Any) -> None:
    row = make_row(Text("They'll come."))
    ids = [5, 5, *tokenizer("They'll come.", add_special_tokens=False)["input_ids"], END]

    assert found(tokenizer, Tokens(ids, [(0, len(ids))], 0), row, "all") == [
        (
            "begin",
            row.id,
            "begins with '<|bos|>' twice: want it once; take it out of the template, or set add_bos_token",
        )
    ]
    assert found(tokenizer, Tokens(ids[1:], [(0, len(ids) - 1)], 0), row, "all") == []


def test_a_prompt_that_evaluation_asks_otherwise_is_told(tokenizer: Any) -> None:
    side = encoded(tokenizer)
    other = Tokens([1, *side.ids[1:]], side.trained, 0)

    [(part, row, what)] = found(tokenizer, other)

    assert (part, row) == ("prompt", ROW.id)
    assert what.startswith("token 0 of the prompt is '<|user|>What")
