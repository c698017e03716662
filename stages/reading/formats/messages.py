"""Messages of OpenAI and TRL: {"messages": [{"role", "content"}]}, with optional tool calls and "tools"."""

from collections.abc import Set
from typing import Any

from stages.reading import message_parsing as parsing
from stages.rows.row import Chat, Content


def matches(fields: Set[str]) -> bool:
    return "messages" in fields and "response" not in fields


def read(record: dict[str, Any]) -> Content:
    return Chat(parsing.messages(record["messages"], "user"), parsing.tools(record))
