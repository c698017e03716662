"""Alpaca: {"instruction", "input", "output"}, with an optional "system" and "history": [[question, answer], …]."""

from collections.abc import Set
from typing import Any

from stages.reading import message_parsing as parsing
from stages.rows.row import Chat, Content, Message


def matches(fields: Set[str]) -> bool:
    return fields >= {"instruction", "output"}


def read(record: dict[str, Any]) -> Content:
    question = "\n\n".join(part for part in (record["instruction"], record.get("input")) if part)
    history = [
        Message(role, text)
        for earlier_question, earlier_answer in record.get("history") or ()
        for role, text in (("user", earlier_question), ("assistant", earlier_answer))
    ]
    return Chat([*parsing.system(record), *history, Message("user", question), Message("assistant", record["output"])])
