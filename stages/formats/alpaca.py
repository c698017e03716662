"""Alpaca: {"instruction", "input", "output"}, with an optional "system"."""

from typing import Any

from stages.rows import Chat, Content, Message


def matches(record: dict[str, Any]) -> bool:
    return "instruction" in record and "output" in record


def read(record: dict[str, Any]) -> Content:
    asked = "\n\n".join(part for part in (record["instruction"], record.get("input")) if part)
    system = [Message("system", record["system"])] if record.get("system") else []
    return Chat([*system, Message("user", asked), Message("assistant", record["output"])])
