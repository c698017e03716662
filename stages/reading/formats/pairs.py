"""Preferences: {"prompt", "chosen", "rejected"}, each a text or a list of messages.

Without a prompt it is the turns that both lists begin with, as in TRL. Texts spelt "\\n\\nHuman: …\\n\\nAssistant: …"
are read as such lists. A prompt that both lists repeat is taken once.
"""

import re
from collections.abc import Set
from typing import Any

from stages.reading import message_parsing as parsing
from stages.rows.row import Content, Message, Pair

SPEAKER = re.compile(r"\n\n(Human|Assistant): ?")
ROLES: dict[str, Any] = {"Human": "user", "Assistant": "assistant"}


def matches(fields: Set[str]) -> bool:
    return fields >= {"chosen", "rejected"}


def read(record: dict[str, Any]) -> Content:
    if parsing.tools(record):
        raise ValueError("tools: want them on chats only")
    chosen, rejected = (_messages(record[name]) for name in ("chosen", "rejected"))
    if record.get("prompt"):
        prompt = [*parsing.system(record), *parsing.messages(record["prompt"], "user")]
        repeated = [m for m in prompt if m.role != "system" or m in chosen[:1]]
        if repeated and parsing.shared(repeated, chosen) == len(repeated) == parsing.shared(repeated, rejected):
            chosen, rejected = chosen[len(repeated) :], rejected[len(repeated) :]
    else:
        count = parsing.shared(chosen, rejected)
        if not count:
            raise ValueError("no prompt, and chosen and rejected begin with no turn that both have")
        if count == len(chosen) == len(rejected):
            raise ValueError("chosen and rejected are the same")
        prompt = [*parsing.system(record), *chosen[:count]]
        chosen, rejected = chosen[count:], rejected[count:]
    return Pair(prompt, chosen, rejected)


def _messages(value: Any) -> list[Message]:
    if not isinstance(value, str) or not value.startswith("\n\nHuman:"):
        return parsing.messages(value, "assistant")
    _, *parts = SPEAKER.split(value)
    return [Message(ROLES[speaker], text.strip()) for speaker, text in zip(parts[::2], parts[1::2], strict=True)]
