"""Alpaca: {"instruction", "input", "output"}, with an optional "history": [[question, answer], …], and a "context"."""

from collections.abc import Set
from typing import Any

from stages.reading import conversation
from stages.reading.unread import WHOLE, empty
from stages.rows.row import Content, Message

QUESTION = dict.fromkeys(("instruction", "input", "history"), WHOLE)
FIELDS: dict[str, Any] = {**QUESTION, "output": WHOLE, **conversation.QUESTION, **conversation.BESIDE}


def matches(fields: Set[str]) -> bool:
    return fields >= {"instruction", "output"}


def read(record: dict[str, Any]) -> Content:
    *earlier, last = question(record)
    asked = conversation.about(record, [last])
    return conversation.answered(record, [*earlier, *asked, Message("assistant", record["output"])])


def question(record: dict[str, Any]) -> list[Message]:
    """The turns before the answer."""
    history = record.get("history")
    turns = []
    for exchange in () if empty(history) else history:
        if not isinstance(exchange, list):
            raise TypeError("history: want a list of [question, answer]")
        earlier_question, earlier_answer = exchange
        turns += [Message("user", earlier_question), Message("assistant", earlier_answer)]
    parts = [part for part in (record["instruction"], record.get("input")) if not empty(part)]
    return [*turns, Message("user", "\n\n".join(parts))]
