"""Plain text for pretraining: {"text"}. Each paragraph of a .txt file is such a record."""

from collections.abc import Set
from typing import Any

from stages.reading.unread import WHOLE
from stages.rows.row import Content, Text

FIELDS: dict[str, Any] = {"text": WHOLE}


def matches(fields: Set[str]) -> bool:
    return fields == {"text"}


def read(record: dict[str, Any]) -> Content:
    return Text(record["text"])
