"""Alpaca: {"instruction", "input", "output"}, with an optional "history": [[question, answer], …], and a "context"."""

from collections.abc import Set
from typing import Any

from stages.reading import conversation
from stages.reading import message_parsing as parsing
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
    history = [] if empty(record.get("history")) else record["history"]
    if not isinstance(history, list) or not all(isinstance(exchange, list) for exchange in history):
        raise TypeError("history: want a list of [question, answer]")
    turns = parsing.messages(history, "user")
    parts = [part for part in (record["instruction"], record.get("input")) if not empty(part)]
    return [*turns, Message("user", "\n\n".join(parts))]
