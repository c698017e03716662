"""A question is asked with its choices; the answer is the label of the right one, however the record names it."""

from typing import Any

import pytest

from stages.reading.formats import READERS, multiple_choice
from stages.reading.rejection import RejectedRecord
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
        ([{"text": "x", "label": "A"}, {"text": "y", "label": "B"}], "B", chat("u\nA. x\nB. y", "B")),
        ([{"text": "x", "label": 1}, {"text": "y", "label": 2}], "2", chat("u\n1. x\n2. y", "2")),
        ([{"text": "x"}, {"text": "y"}], 1, chat("u\nA. x\nB. y", "B")),
        ('["x", "y"]', "1", chat("u\nA. x\nB. y", "B")),
        ("{'text': ['x', 'y'], 'label': ['1', '2']}", "2", chat("u\n1. x\n2. y", "2")),
        (["x", "y"], 1.0, chat("u\nA. x\nB. y", "B")),
        (["x", "y"], "1.0", chat("u\nA. x\nB. y", "B")),
        (["-1", "1"], "-1", chat("u\nA. -1\nB. 1", "A")),
        (["A) x", "B) y"], "A", chat("u\nA) x\nB) y", "A")),
    ],
)
def test_an_answer_is_a_place_a_label_or_a_text(choices: Any, answer: Any, content: Chat) -> None:
    record = {"question": "u", "choices": choices, "answer": answer}

    assert [name for name, reader in READERS.items() if reader.matches(record.keys())] == ["multiple_choice"]
    assert multiple_choice.read(record) == content


@pytest.mark.parametrize("answer", [2, "2", 2.0, "2.0"])
def test_an_answer_that_is_counted_from_1_is_the_choice_before(answer: Any) -> None:
    record = {"question": "u", "choices": ["x", "y", "z"], "answer_from_1": answer}

    assert [name for name, reader in READERS.items() if reader.matches(record.keys())] == ["multiple_choice"]
    assert multiple_choice.read(record) == chat("u\nA. x\nB. y\nC. z", "B")


def test_choices_may_be_a_field_each_and_the_last_ones_empty() -> None:
    record = {"question": "u", "A": "x", "B": "y", "C": "", "D": None, "answer": "B"}

    assert [name for name, reader in READERS.items() if reader.matches(record.keys())] == ["multiple_choice"]
    assert multiple_choice.read(record) == chat("u\nA. x\nB. y", "B")
    with pytest.raises(ValueError, match="C is empty, and a choice follows: want the choices without gaps"):
        multiple_choice.read({**record, "D": "z"})
    with pytest.raises(ValueError, match="C is empty, and a choice follows: want the choices without gaps"):
        multiple_choice.read({"question": "u", "A": "x", "B": "y", "D": "z", "answer": "D"})


def test_choices_that_are_named_twice_are_the_same() -> None:
    record = {"question": "u", "choices": ["x", "y"], "A": "x", "B": "y", "C": None, "answer": 1}

    assert multiple_choice.read(record) == chat("u\nA. x\nB. y", "B")
    for other, told in (({"B": "z"}, "A, B"), ({"C": "z"}, "A, B, C"), ({"N": 2}, "A, B, N")):
        with pytest.raises(ValueError, match=f"choices and {told} differ: want one of them"):
            multiple_choice.read({**record, **other})


def test_answers_that_are_named_twice_are_the_same() -> None:
    record = {"question": "u", "choices": ["x", "y"]}

    for answers in ({"answer": "y", "answer_from_1": 2}, {"answer": None, "answer_from_1": 2}, {"answer": "B"}):
        assert multiple_choice.read({**record, **answers}) == chat("u\nA. x\nB. y", "B")
    with pytest.raises(ValueError, match="answer 1 and answer_from_1 1 name other choices: want one of them"):
        multiple_choice.read({**record, "answer": 1, "answer_from_1": 1})


@pytest.mark.parametrize("answer", [None, -1, -1.0, "-1", "N/A", "?", " NaN "])
def test_a_placeholder_is_no_answer(answer: Any) -> None:
    for name in ("answer", "answer_from_1"):
        with pytest.raises(RejectedRecord) as error:
            multiple_choice.read({"question": "u", "choices": ["x", "y"], name: answer})

        assert (error.value.reason, error.value.detail) == ("empty_answer", f"{name} {answer!r} stands for none")


@pytest.mark.parametrize(
    ("record", "found"),
    [
        ({"choices": ["x", "y"], "answer": "2"}, (2, 2)),
        ({"choices": ["x", "y"], "answer": 1.0}, (1, 2)),
        ({"A": "x", "B": "y", "C": "", "answer": 0}, (0, 2)),
        ({"choices": ["1", "2"], "answer": "1"}, None),
        ({"choices": {"text": ["x", "y"], "label": ["1", "2"]}, "answer": "1"}, None),
        ({"choices": ["x", "y"], "answer": "B"}, None),
        ({"choices": "x", "answer": 1}, None),
        ({"choices": ["x", "y"], "answer": -1}, None),
    ],
)
def test_a_number_that_can_only_be_a_place_is_told_from_labels_and_texts(
    record: dict[str, Any], found: tuple[int, int] | None
) -> None:
    assert multiple_choice.number({"question": "u", **record}) == found


@pytest.mark.parametrize(("context", "before"), [("c", "c\n\n"), (["c", "d"], "c\n\nd\n\n"), ({"n": 1}, ""), ("", "")])
def test_a_context_goes_before_the_question_and_a_system_prompt_before_both(context: Any, before: str) -> None:
    record = {"question": "u", "choices": ["x", "y"], "answer": 0, "context": context, "system": "s"}

    turns = multiple_choice.read(record).messages

    assert turns[:2] == [Message("system", "s"), Message("user", f"{before}u\nA. x\nB. y")]


@pytest.mark.parametrize(
    ("choices", "answer", "said"),
    [
        (["1", "0"], "1", "answer '1': 2 of the choices: want the place from 0, label or text of one"),
        (
            ["x", "y"],
            2,
            "answer 2: 0 of the choices: want the place from 0, label or text of one; map one that is counted from 1 "
            "to answer_from_1",
        ),
        (["x", "y"], 3, "answer 3: 0 of the choices: want the place from 0, label or text of one"),
        (["x", "y"], True, "answer True: 0 of the choices: want the place from 0, label or text of one"),
        (["x"], 0, "1 choices, 0 labels: want 2 to 26, and as many labels, or none"),
        ("x, y", 0, "choices: a text: want a list of texts, or {text: […], label: […]}"),
    ],
)
def test_an_answer_that_is_not_one_of_the_choices_is_refused(choices: Any, answer: Any, said: str) -> None:
    with pytest.raises((TypeError, ValueError)) as error:
        multiple_choice.read({"question": "u", "choices": choices, "answer": answer})

    assert str(error.value) == said
