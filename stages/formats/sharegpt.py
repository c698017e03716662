"""ShareGPT: {"conversations": [{"from": "human" | "gpt" | …, "value"}]}."""

from typing import Any

from stages.rows import Chat, Content, Message

ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}


def matches(record: dict[str, Any]) -> bool:
    return "conversations" in record


def read(record: dict[str, Any]) -> Content:
    return Chat([Message(ROLES[turn["from"]], turn["value"]) for turn in record["conversations"]])
