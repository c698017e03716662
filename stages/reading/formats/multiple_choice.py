"""A question with choices: {"question", "choices", "answer"}, as MMLU, ARC and CommonsenseQA have it.

`choices` are texts, {"text": […], "label": […]}, or a list of {"text", "label"}; or `A`, `B`, … are a choice each.
`answer` is the place of the right one, counted from 0, its label (without labels A, B, …), or its text;
`answer_from_1` its place counted from 1. The model is asked with all choices, one a line after its label, and answers
with the label, as lm-evaluation-harness asks and scores.
"""

import re
import string
from collections.abc import Set
from itertools import takewhile
from typing import Any

from stages.reading import conversation, placeholders, tool_schemas
from stages.reading.rejection import RejectedRecord
from stages.reading.text_values import json_value, type_name
from stages.reading.unread import WHOLE, empty
from stages.rows.row import Chat, Content, Message

LETTERS = tuple(string.ascii_uppercase)
RIGHT = ("answer", "answer_from_1")
FIELDS: dict[str, Any] = {
    **dict.fromkeys(("question", *RIGHT, *LETTERS), WHOLE),
    "choices": dict.fromkeys(("text", "label"), WHOLE),
    **conversation.QUESTION,
    **conversation.SETTING,
}
PLACE = re.compile(r"(\d{1,2})(?:\.0+)?")  # 1.0: of a column with gaps in pandas
WANTED = "want the place from 0, label or text of one"


def matches(fields: Set[str]) -> bool:
    return "question" in fields and not fields.isdisjoint(RIGHT) and ("choices" in fields or {"A", "B"} <= fields)


def read(record: dict[str, Any]) -> Content:
    texts, labels = _choices(record)
    names = labels or LETTERS[: len(texts)]
    right = names[_right(record, texts, labels)]
    listed = [f"{name}. {text}" for name, text in zip(names, texts, strict=True)]
    if all(text.lstrip("(").startswith((f"{name})", f"{name}.")) for name, text in zip(names, texts, strict=True)):
        listed = texts  # they bear their labels already
    asked = conversation.about(record, [Message("user", "\n".join([record["question"], *listed]))])
    turns = conversation.with_system(record, [*asked, Message("assistant", right)])
    return Chat(turns, tool_schemas.tools(record))


def _right(record: dict[str, Any], texts: list[str], labels: list[str]) -> int:
    """The place of the right choice, which two fields may name."""
    given = {name: record[name] for name in RIGHT if not empty(record.get(name))}
    if not given:
        name = next((name for name in RIGHT if name in record), "answer")
        raise RejectedRecord("empty_answer", placeholders.told(name, record[name]))
    for name, value in given.items():
        if placeholders.no_label(value) and str(value).strip() not in texts:
            raise RejectedRecord("empty_answer", placeholders.told(name, value))
    places = {(_place if name == "answer" else _place_from_1)(value, texts, labels) for name, value in given.items()}
    if len(places) > 1:
        told = " and ".join(f"{name} {value!r}" for name, value in given.items())
        raise ValueError(f"{told} name other choices: want one of them")
    return places.pop()


def number(record: dict[str, Any]) -> tuple[int, int] | None:
    """(the number that is the answer, how many choices there are) if a place is all that the number can be."""
    try:
        texts, labels = _choices(record)
    except (KeyError, TypeError, ValueError):
        return None
    word = _word(record.get("answer"))
    place = None if labels or word in map(str.strip, texts) else PLACE.fullmatch(word)
    return (int(place[1]), len(texts)) if place else None


def _choices(record: dict[str, Any]) -> tuple[list[str], list[str]]:
    """(the texts of choices, their labels, if they have some)."""
    value: Any = record.get("choices")
    columns = [record.get(name) for name in LETTERS]
    if "choices" not in record:
        value = list(takewhile(lambda text: not empty(text), columns))
        if not all(map(empty, columns[len(value) :])):
            raise ValueError(f"{LETTERS[len(value)]} is empty, and a choice follows: want the choices without gaps")
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):  # in a table of texts
        value = json_value(value)
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        value = {name: [item[name] for item in value] for name in ("text", "label") if name in value[0]}
    texts, labels = (value["text"], value.get("label", [])) if isinstance(value, dict) else (value, [])
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise TypeError(f"choices: {type_name(texts)}: want a list of texts, or {{text: […], label: […]}}")
    if not 2 <= len(texts) <= len(LETTERS) or (labels and len(labels) != len(texts)):
        raise ValueError(f"{len(texts)} choices, {len(labels)} labels: want 2 to 26, and as many labels, or none")
    beside = {name: text for name, text in zip(LETTERS, columns, strict=True) if not empty(text)}
    if any(dict(zip(LETTERS, texts, strict=False)).get(name) != text for name, text in beside.items()):
        raise ValueError(f"choices and {', '.join(beside)} differ: want one of them")
    return texts, [_word(label) for label in labels]


def _word(value: Any) -> str:
    return str(int(value) if isinstance(value, float) and value.is_integer() else value).strip()


def _place(answer: Any, texts: list[str], labels: list[str]) -> int:
    """The place of the right choice, whichever of its names the answer is."""
    word = _word(answer)
    is_number = isinstance(answer, int | float) and not isinstance(answer, bool)
    place = None if labels or not (is_number or isinstance(answer, str)) else PLACE.fullmatch(word)
    found = {int(place[1])} if place and int(place[1]) < len(texts) else set()
    if not (is_number and place):
        found |= {i for i, label in enumerate(labels or LETTERS[: len(texts)]) if label == word}
    if isinstance(answer, str):
        found |= {i for i, text in enumerate(texts) if text.strip() == word}
    if len(found) != 1:
        one = "; map one that is counted from 1 to answer_from_1" if place and int(place[1]) == len(texts) else ""
        raise ValueError(f"answer {answer!r}: {len(found)} of the choices: {WANTED}{one}")
    return found.pop()


def _place_from_1(answer: Any, texts: list[str], labels: list[str]) -> int:
    place = PLACE.fullmatch(_word(answer))
    if not place or not 1 <= int(place[1]) <= len(texts):
        raise ValueError(f"answer_from_1 {answer!r}: want a number from 1 to {len(texts)}, the place of a choice")
    return int(place[1]) - 1
