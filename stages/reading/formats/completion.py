"""TRL's prompt-completion: {"prompt", "completion"}, each a text or a list of messages."""

from collections.abc import Set
from typing import Any

from stages.reading import message_parsing as parsing
from stages.rows.row import Chat, Content


def matches(fields: Set[str]) -> bool:
    return fields >= {"prompt", "completion"} and "label" not in fields


def read(record: dict[str, Any]) -> Content:
    prompt = [*parsing.system(record), *parsing.messages(record["prompt"], "user")]
    return Chat([*prompt, *parsing.messages(record["completion"], "assistant")], parsing.tools(record))
