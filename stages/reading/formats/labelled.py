"""Labelled text, as intent datasets have it: {"text", "label"} or {"text", "category"}; the answer is {"intent": …}."""

import json
from collections.abc import Set
from typing import Any

from stages.rows.row import Chat, Content, Message

LABELS = ("label", "category")


def matches(fields: Set[str]) -> bool:
    return any(fields == {"text", label} for label in LABELS)


def read(record: dict[str, Any]) -> Content:
    intent = next(record[label] for label in LABELS if label in record)
    return Chat([Message("user", record["text"]), Message("assistant", json.dumps({"intent": intent}))])
