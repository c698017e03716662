"""TRL's unpaired preferences, for KTO: {"prompt", "completion", "label"}; the label is true for a good answer."""

from collections.abc import Set
from typing import Any

from stages.reading.formats import completion
from stages.rows.row import Chat, Content

FIELDS = completion.FIELDS


def matches(fields: Set[str]) -> bool:
    return fields >= {"prompt", "completion", "label"}


def read(record: dict[str, Any]) -> Content:
    content = completion.read(record)
    if isinstance(content, Chat):
        raise ValueError(f"label {record['label']!r}: want true or false")
    return content
