"""Labelled text, as intent datasets ship it: {"text", "label"}; the answer is {"intent": label}."""

import json
from typing import Any

from stages.rows import Chat, Content, Message


def matches(record: dict[str, Any]) -> bool:
    return record.keys() == {"text", "label"}


def read(record: dict[str, Any]) -> Content:
    return Chat([Message("user", record["text"]), Message("assistant", json.dumps({"intent": record["label"]}))])
