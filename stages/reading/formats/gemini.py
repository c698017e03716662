"""Gemini's chats: {"contents": [{"role", "parts"}]}, with an optional "systemInstruction" and "tools"."""

from collections.abc import Set
from typing import Any

from stages.reading import conversation
from stages.reading import message_parsing as parsing
from stages.reading.formats import pairs
from stages.rows.row import Content

FIELDS: dict[str, Any] = {"contents": parsing.turn_fields, **conversation.BESIDE}


def matches(fields: Set[str]) -> bool:
    return "contents" in fields and not pairs.matches(fields)


def read(record: dict[str, Any]) -> Content:
    return conversation.answered(record, parsing.messages(record["contents"], "user"))
