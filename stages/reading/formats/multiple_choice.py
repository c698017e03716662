"""A question with choices: {"question", "choices", "answer"}, as MMLU, ARC and CommonsenseQA have it.

`choices` are texts, or {"text": […], "label": […]}. `answer` is the place of the right one, counted from 0, its label
(without labels A, B, …), or its text. The model is asked with all choices, one a line after its label, and answers
with the label, as lm-evaluation-harness asks and scores.
"""

import string
from collections.abc import Set
from typing import Any

from stages.reading import conversation, tool_schemas
from stages.reading.text_values import type_name
from stages.reading.unread import WHOLE, empty
from stages.rows.row import Chat, Content, Message

FIELDS: dict[str, Any] = {
    **dict.fromkeys(("question", "answer", "context"), WHOLE),
    "choices": dict.fromkeys(("text", "label"), WHOLE),
    **conversation.SETTING,
}


def matches(fields: Set[str]) -> bool:
    return fields >= {"question", "choices", "answer"}


def read(record: dict[str, Any]) -> Content:
    texts, labels = _choices(record["choices"])
    names = labels or list(string.ascii_uppercase[: len(texts)])
    right = names[_place(record["answer"], texts, labels)]
    listed = [f"{name}. {text}" for name, text in zip(names, texts, strict=True)]
    if all(text.lstrip("(").startswith((f"{name})", f"{name}.")) for name, text in zip(names, texts, strict=True)):
        listed = texts  # they bear their labels already
    context = record.get("context")
    question = "\n".join([record["question"], *listed])
    asked = question if empty(context) else f"{context}\n\n{question}"
    turns = conversation.with_system(record, [Message("user", asked), Message("assistant", right)])
    return Chat(turns, tool_schemas.tools(record))


def _choices(value: Any) -> tuple[list[str], list[str]]:
    """(the texts of choices, their labels, if they have some)."""
    texts, labels = (value["text"], value["label"]) if isinstance(value, dict) else (value, [])
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in [*texts, *labels]):
        raise TypeError(f"choices: {type_name(texts)}: want a list of texts, or {{text: […], label: […]}}")
    if not 2 <= len(texts) <= len(string.ascii_uppercase) or (labels and len(labels) != len(texts)):
        raise ValueError(f"{len(texts)} choices, {len(labels)} labels: want 2 to 26, and as many labels, or none")
    return texts, labels


def _place(answer: Any, texts: list[str], labels: list[str]) -> int:
    """The place of the right choice, whichever of its names the answer is."""
    if type(answer) is int and not labels and 0 <= answer < len(texts):
        return answer
    word = str(answer).strip()
    found = {place for place, label in enumerate(labels or string.ascii_uppercase[: len(texts)]) if label == word}
    if isinstance(answer, str):
        found |= {place for place, text in enumerate(texts) if text.strip() == word}
        if not labels and word.isdecimal() and int(word) < len(texts):
            found.add(int(word))
    if len(found) != 1:
        raise ValueError(f"answer {answer!r}: {len(found)} of the choices: want the place from 0, label or text of one")
    return found.pop()
