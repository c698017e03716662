"""Labelled text, as intent datasets have it: {"text", "label"} or {"text", "category"}; the answer is {"intent": …}."""

import json
from collections.abc import Set
from typing import Any

from stages.reading import conversation, placeholders, tool_schemas
from stages.reading.rejection import RejectedRecord
from stages.reading.spellings import one_of
from stages.reading.unread import WHOLE, empty
from stages.rows.row import Chat, Content, Message

LABELS = ("label", "category")
FIELDS: dict[str, Any] = {**dict.fromkeys(("text", *LABELS), WHOLE), **conversation.SETTING}


def matches(fields: Set[str]) -> bool:
    return any(fields == {"text", label} for label in LABELS)


def read(record: dict[str, Any]) -> Content:
    if not record.keys() & set(LABELS):
        raise KeyError("label")
    label = one_of(record, LABELS)
    if empty(label) or placeholders.no_label(label):
        raise RejectedRecord("empty_answer", placeholders.told("label", label))
    answer = Message("assistant", json.dumps({"intent": label}, ensure_ascii=False))
    turns = conversation.with_system(record, [Message("user", record["text"]), answer])
    return Chat(turns, tool_schemas.tools(record))
