"""ShareGPT: {"conversations": [{"from": "human" | "gpt" | …, "value"}]}, with an optional "system" and "tools"."""

from collections.abc import Set
from typing import Any

from stages.reading.formats import turns
from stages.rows.row import Chat, Content


def matches(fields: Set[str]) -> bool:
    return "conversations" in fields


def read(record: dict[str, Any]) -> Content:
    return Chat([*turns.system(record), *turns.messages(record["conversations"], "human")], turns.tools(record))
