"""Preferences: {"prompt", "chosen", "rejected"}, each a text, a message or a list of messages.

The prompt may also be "messages" or "conversations", or "instruction" and "input", as in LLaMA-Factory's ranking files.
Without a prompt it is the turns that both lists begin with, as in TRL. A prompt that both lists repeat is taken once.
"""

from collections.abc import Set
from typing import Any

from stages.reading import conversation, tool_schemas
from stages.reading import message_parsing as parsing
from stages.reading.formats import alpaca
from stages.reading.unread import empty
from stages.rows.row import Content, Message, Pair

PROMPTS = ("prompt", "messages", "conversations", "question")
FIELDS: dict[str, Any] = {
    **dict.fromkeys((*PROMPTS, "chosen", "rejected"), parsing.turn_fields),
    **alpaca.QUESTION,
    **conversation.SETTING,
}


def matches(fields: Set[str]) -> bool:
    return fields >= {"chosen", "rejected"}


def read(record: dict[str, Any]) -> Content:
    chosen, rejected = (parsing.messages(record[name], "assistant") for name in ("chosen", "rejected"))
    prompt = _prompt(record, chosen)
    if prompt:
        prompt = conversation.with_system(record, prompt)
        repeated = [m for m in prompt if m.role != "system" or m in chosen[:1]]
        if repeated and parsing.shared(repeated, chosen) == len(repeated) == parsing.shared(repeated, rejected):
            chosen, rejected = chosen[len(repeated) :], rejected[len(repeated) :]
    else:
        count = parsing.shared(chosen, rejected)
        if not count:
            raise ValueError("no prompt, and chosen and rejected begin with no turn that both have")
        if count == len(chosen) == len(rejected):
            raise ValueError("chosen and rejected are the same")
        prompt = conversation.with_system(record, chosen[:count])
        chosen, rejected = chosen[count:], rejected[count:]
    return Pair(prompt, chosen, rejected, tool_schemas.tools(record))


def _prompt(record: dict[str, Any], chosen: list[Message]) -> list[Message]:
    """The only prompt that the record gives; lists that end in the chosen answer without it."""
    prompts = {name: parsing.messages(record[name], "user") for name in PROMPTS if not empty(record.get(name))}
    if any(not empty(record.get(name)) for name in alpaca.QUESTION):
        prompts["instruction"] = alpaca.question(record)
    for name, turns in prompts.items():
        if turns[-1:] == chosen[-1:]:
            prompts[name] = turns[:-1]
    if any(turns != next(iter(prompts.values())) for turns in prompts.values()):
        raise ValueError(f"{' and '.join(prompts)} differ: want one prompt")
    return next(iter(prompts.values()), [])
