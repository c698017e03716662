"""Plain text for pretraining: {"text"}; a .txt file gives one such record a paragraph."""

from typing import Any

from stages.rows import Content, Text


def matches(record: dict[str, Any]) -> bool:
    return record.keys() == {"text"}


def read(record: dict[str, Any]) -> Content:
    return Text(record["text"])
