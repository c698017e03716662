"""A question with its answer: {"question", "answer"}."""

from collections.abc import Set
from typing import Any

from stages.rows.row import Chat, Content, Message


def matches(fields: Set[str]) -> bool:
    return fields == {"question", "answer"}


def read(record: dict[str, Any]) -> Content:
    return Chat([Message("user", record["question"]), Message("assistant", record["answer"])])
