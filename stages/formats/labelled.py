"""Labelled text, as intent datasets ship it: {"text", "label"} or {"text", "category"}; the answer is {"intent": …}."""

import json
from typing import Any

from stages.rows import Chat, Content, Message

LABELS = ("label", "category")


def matches(record: dict[str, Any]) -> bool:
    return any(record.keys() == {"text", label} for label in LABELS)


def read(record: dict[str, Any]) -> Content:
    intent = next(record[label] for label in LABELS if label in record)
    return Chat([Message("user", record["text"]), Message("assistant", json.dumps({"intent": intent}))])
