"""Messages of OpenAI and TRL: {"messages": [{"role", "content"}]}, with optional tool calls and "tools"."""

from collections.abc import Set
from typing import Any

from stages.reading.formats import turns
from stages.rows.row import Chat, Content


def matches(fields: Set[str]) -> bool:
    return "messages" in fields and "response" not in fields


def read(record: dict[str, Any]) -> Content:
    return Chat(turns.messages(record["messages"], "user"), turns.tools(record))
