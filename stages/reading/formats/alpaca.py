"""Alpaca: {"instruction", "input", "output"}, with an optional "system" and "history": [[asked, answered], …]."""

from collections.abc import Set
from typing import Any

from stages.reading.formats import turns
from stages.rows.row import Chat, Content, Message


def matches(fields: Set[str]) -> bool:
    return fields >= {"instruction", "output"}


def read(record: dict[str, Any]) -> Content:
    asked = "\n\n".join(part for part in (record["instruction"], record.get("input")) if part)
    before = [
        Message(role, said)
        for question, answer in record.get("history") or ()
        for role, said in (("user", question), ("assistant", answer))
    ]
    return Chat([*turns.system(record), *before, Message("user", asked), Message("assistant", record["output"])])
