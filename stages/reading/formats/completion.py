"""TRL's prompt-completion: {"prompt", "completion"}, each a text or a list of messages, with an optional "context"."""

from collections.abc import Set
from typing import Any

from stages.reading import conversation
from stages.reading import message_parsing as parsing
from stages.rows.row import Content

FIELDS: dict[str, Any] = {
    **dict.fromkeys(("prompt", "completion"), parsing.turn_fields),
    **conversation.QUESTION,
    **conversation.BESIDE,
}


def matches(fields: Set[str]) -> bool:
    return fields >= {"prompt", "completion"} and "label" not in fields


def read(record: dict[str, Any]) -> Content:
    prompt, completion = parsing.messages(record["prompt"], "user"), parsing.messages(record["completion"], "assistant")
    return conversation.answered(record, [*conversation.about(record, prompt), *completion])
