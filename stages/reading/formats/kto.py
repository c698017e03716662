"""TRL's unpaired preferences, for KTO: {"prompt", "completion", "label"}; the label is true for a good answer."""

from collections.abc import Set
from typing import Any

from stages.reading import message_parsing as parsing
from stages.reading.ratings import RatedAnswer

LABELS = {"true": True, "1": True, "false": False, "0": False}


def matches(fields: Set[str]) -> bool:
    return fields >= {"prompt", "completion", "label"}


def read(record: dict[str, Any]) -> RatedAnswer:
    good = LABELS.get(str(record["label"]).strip().lower())
    if good is None:
        raise ValueError(f"label {record['label']!r}: want true or false")
    if parsing.tools(record):
        raise ValueError("tools: want them on chats only")
    prompt = [*parsing.system(record), *parsing.messages(record["prompt"], "user")]
    return RatedAnswer(prompt, parsing.messages(record["completion"], "assistant"), good)
