"""A document: {"path", "text"}. `ingest.documents` says how it becomes rows."""

from collections.abc import Set
from typing import Any

from stages.reading.documents import Document
from stages.reading.unread import WHOLE

FIELDS: dict[str, Any] = dict.fromkeys(("path", "text"), WHOLE)


def matches(fields: Set[str]) -> bool:
    return fields == {"path", "text"}


def read(record: dict[str, Any]) -> Document:
    return Document(record["path"], record["text"])
