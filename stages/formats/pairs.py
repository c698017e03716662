"""Preferences: {"prompt", "chosen", "rejected"}, each plain text or a list of messages."""

from typing import Any

from stages.rows import Content, Message, Pair


def matches(record: dict[str, Any]) -> bool:
    return record.keys() >= {"prompt", "chosen", "rejected"}


def read(record: dict[str, Any]) -> Content:
    return Pair(
        _messages(record["prompt"], "user"),
        _messages(record["chosen"], "assistant"),
        _messages(record["rejected"], "assistant"),
    )


def _messages(value: Any, role: Any) -> list[Message]:
    if isinstance(value, str):
        return [Message(role, value)]
    return [Message(turn["role"], turn["content"]) for turn in value]
