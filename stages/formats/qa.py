"""A question and its answer: {"question", "answer"}."""

from typing import Any

from stages.rows import Chat, Content, Message


def matches(record: dict[str, Any]) -> bool:
    return record.keys() == {"question", "answer"}


def read(record: dict[str, Any]) -> Content:
    return Chat([Message("user", record["question"]), Message("assistant", record["answer"])])
