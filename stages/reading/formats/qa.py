"""A question with its answer: {"question", "answer"}."""

from collections.abc import Set
from typing import Any

from stages.reading import conversation
from stages.reading.unread import WHOLE
from stages.rows.row import Content, Message

FIELDS: dict[str, Any] = {**dict.fromkeys(("question", "answer"), WHOLE), **conversation.BESIDE}


def matches(fields: Set[str]) -> bool:
    return {"question", "answer"} <= fields <= FIELDS.keys()


def read(record: dict[str, Any]) -> Content:
    turns = [Message("user", record["question"]), Message("assistant", record["answer"])]
    return conversation.answered(record, turns)
