"""A document: {"path", "text"}; `ingest.documents` says how it becomes rows."""

from typing import Any

from stages.documents import Document


def matches(record: dict[str, Any]) -> bool:
    return record.keys() == {"path", "text"}


def read(record: dict[str, Any]) -> Document:
    return Document(record["path"], record["text"])
