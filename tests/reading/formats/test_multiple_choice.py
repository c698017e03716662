"""A question is asked with its choices; the answer is the label of the right one, however the record names it."""

from typing import Any

import pytest

from stages.reading.formats import READERS, multiple_choice
from stages.rows.row import Chat, Message


def chat(question: str, label: str) -> Chat:
    return Chat([Message("user", question), Message("assistant", label)])


@pytest.mark.parametrize(
    ("choices", "answer", "content"),
    [
        (["x", "y"], 1, chat("u\nA. x\nB. y", "B")),
        (["x", "y"], "1", chat("u\nA. x\nB. y", "B")),
        (["x", "y"], "B", chat("u\nA. x\nB. y", "B")),
        (["x", "y"], " y", chat("u\nA. x\nB. y", "B")),
        (["4", "2"], 1, chat("u\nA. 4\nB. 2", "B")),
        ({"text": ["x", "y"], "label": ["1", "2"]}, "2", chat("u\n1. x\n2. y", "2")),
        ({"text": ["x", "y"], "label": ["1", "2"]}, 2, chat("u\n1. x\n2. y", "2")),
        (["A) x", "B) y"], "A", chat("u\nA) x\nB) y", "A")),
    ],
)
def test_an_answer_is_a_place_a_label_or_a_text(choices: Any, answer: Any, content: Chat) -> None:
    record = {"question": "u", "choices": choices, "answer": answer}

    assert [name for name, reader in READERS.items() if reader.matches(record.keys())] == ["multiple_choice"]
    assert multiple_choice.read(record) == content


def test_a_context_goes_before_the_question_and_a_system_prompt_before_both() -> None:
    record = {"question": "u", "choices": ["x", "y"], "answer": 0, "context": "c", "system": "s"}

    assert multiple_choice.read(record).messages[:2] == [Message("system", "s"), Message("user", "c\n\nu\nA. x\nB. y")]


@pytest.mark.parametrize(
    ("choices", "answer", "said"),
    [
        (["1", "0"], "1", "answer '1': 2 of the choices: want the place from 0, label or text of one"),
        (["x", "y"], 2, "answer 2: 0 of the choices: want the place from 0, label or text of one"),
        (["x", "y"], True, "answer True: 0 of the choices: want the place from 0, label or text of one"),
        (["x", "y"], None, "answer None: 0 of the choices: want the place from 0, label or text of one"),
        (["x"], 0, "1 choices, 0 labels: want 2 to 26, and as many labels, or none"),
        ("x, y", 0, "choices: a text: want a list of texts, or {text: […], label: […]}"),
    ],
)
def test_an_answer_that_is_not_one_of_the_choices_is_refused(choices: Any, answer: Any, said: str) -> None:
    with pytest.raises((TypeError, ValueError)) as error:
        multiple_choice.read({"question": "u", "choices": choices, "answer": answer})

    assert str(error.value) == said
