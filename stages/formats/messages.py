"""OpenAI and TRL messages: {"messages": [{"role", "content"}]}."""

from typing import Any

from stages.rows import Chat, Content, Message


def matches(record: dict[str, Any]) -> bool:
    return "messages" in record


def read(record: dict[str, Any]) -> Content:
    return Chat([Message(turn["role"], turn["content"]) for turn in record["messages"]])
