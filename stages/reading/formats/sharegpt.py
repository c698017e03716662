"""ShareGPT: {"conversations": [{"from": "human" | "gpt" | …, "value"}]}, with an optional "system" and "tools"."""

from collections.abc import Set
from typing import Any

from stages.reading import message_parsing as parsing
from stages.rows.row import Chat, Content


def matches(fields: Set[str]) -> bool:
    return "conversations" in fields


def read(record: dict[str, Any]) -> Content:
    return Chat([*parsing.system(record), *parsing.messages(record["conversations"], "human")], parsing.tools(record))
