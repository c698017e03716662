"""A question with its answer: {"question", "answer"}, with an optional "context" or "passages" before the question."""

from collections.abc import Set
from typing import Any

from stages.reading import conversation
from stages.reading.unread import WHOLE
from stages.rows.row import Content, Message

FIELDS: dict[str, Any] = {
    **dict.fromkeys(("question", "answer"), WHOLE),
    **conversation.QUESTION,
    **conversation.BESIDE,
}


def matches(fields: Set[str]) -> bool:
    return {"question", "answer"} <= fields <= FIELDS.keys()


def read(record: dict[str, Any]) -> Content:
    asked = conversation.about(record, [Message("user", record["question"])])
    return conversation.answered(record, [*asked, Message("assistant", record["answer"])])
