"""Input formats: records of another shape, and what a format refuses or leaves out, with the reason."""

from typing import Any

import pytest

from stages.reading.formats import READERS
from stages.reading.message_parsing import ROLES
from stages.reading.rejection import RejectedRecord

TURNS = [{"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}]
SYSTEM_TURN = {"role": "system", "content": "s"}
WORSE = {"role": "assistant", "content": "b"}


@pytest.mark.parametrize(
    ("name", "record", "message"),
    [
        ("messages", {"messages": [{"role": "x", "content": "y"}]}, f"role 'x': want one of {', '.join(ROLES)}"),
        ("messages", {"messages": ["u"]}, 'a text: want a message, such as {"role", "content"}'),
        ("messages", {"messages": {}}, "an object: want a text or a list of messages"),
        (
            "messages",
            {"messages": [{"role": "user", "content": [{"type": "image"}]}]},
            "content of type 'image': want text; nothing else is trained on",
        ),
        (
            "messages",
            {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "[1]"}}]}]},
            "arguments of f: a list: want a JSON object",
        ),
        ("messages", {"messages": TURNS, "tools": {"f": 1}}, "tools: an object: want a list of JSON schemas"),
        ("pairs", {"chosen": TURNS, "rejected": TURNS}, "chosen and rejected are the same"),
        (
            "pairs",
            {"prompt": "v", "chosen": TURNS, "rejected": [TURNS[0], WORSE]},
            "chosen and rejected do not begin with the prompt: want it there, or no prompt",
        ),
        (
            "pairs",
            {"prompt": "u", "system": "t", "chosen": [SYSTEM_TURN, *TURNS], "rejected": "b"},
            "two system prompts, one of them beside the turns, and they differ: want one",
        ),
        (
            "pairs",
            {"chosen": "a", "rejected": "b"},
            "no prompt, and chosen and rejected begin with no turn that both have",
        ),
        (
            "completion",
            {"prompt": [*TURNS, TURNS[0]], "completion": "a", "context": "c"},
            "a text, a text: want one question, a text, beside 'c'",
        ),
        (
            "qa",
            {"question": "u", "answer": "a", "context": [3]},
            "3: want a text that the question is about, or a list of texts",
        ),
        (
            "qa",
            {"question": "u", "answer": "a", "context": "c", "passages": ["d"]},
            "context and passages differ: want one of them",
        ),
        ("kto", {"prompt": "u", "completion": "a", "label": None}, "label None: want true or false"),
        (
            "feedback",
            {"messages": "u", "response": {"choices": [{"message": TURNS[1]}] * 2}},
            "2 answers: want the one that was shown",
        ),
        ("feedback", {"messages": "u", "response": None}, "null: want a text or a list of messages"),
    ],
)
def test_a_record_of_another_shape_is_an_error(name: str, record: dict[str, Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError)) as raised:
        READERS[name].read(record)

    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"rating": None}, "unrated"),
        ({"rating": "", "edit": None}, "unrated"),
        ({}, "unrated"),
    ],
)
def test_feedback_without_a_rating_is_rejected_with_its_reason(record: dict[str, Any], reason: str) -> None:
    with pytest.raises(RejectedRecord) as error:
        READERS["feedback"].read({"messages": "u", "response": "a", **record})

    assert error.value.reason == reason


@pytest.mark.parametrize("label", ["", None, float("nan")])
def test_an_empty_label_is_no_answer_to_learn(label: Any) -> None:
    with pytest.raises(RejectedRecord) as error:
        READERS["labelled"].read({"text": "u", "label": label})

    assert error.value.reason == "empty_answer"
