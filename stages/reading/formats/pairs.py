"""Preferences: {"prompt", "chosen", "rejected"}, each a text, a message or a list of messages.

The prompt may also be "messages" or "conversations", or "instruction" and "input", as in LLaMA-Factory's ranking files.
Without a prompt it is the turns that both lists begin with, as in TRL. A prompt that lists repeat is taken once, and
turns that both have after it belong to it. What is left of a list is one turn: see docs/decisions/0037.
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
    **conversation.QUESTION,
    **conversation.SETTING,
}


def matches(fields: Set[str]) -> bool:
    return fields >= {"chosen", "rejected"}


def read(record: dict[str, Any]) -> Content:
    chosen, rejected = (parsing.messages(record[name], "assistant") for name in ("chosen", "rejected"))
    prompt, given = [], _prompt(record, chosen)
    if given:
        prompt, chosen = _after(conversation.with_system(record, given), chosen)
        prompt, rejected = _after(prompt, rejected)
    elif chosen == rejected:
        raise ValueError("chosen and rejected are the same")
    count = max(0, min(parsing.shared(chosen, rejected), len(chosen) - 1, len(rejected) - 1))
    begin, chosen, rejected = chosen[:count], chosen[count:], rejected[count:]
    if begin and begin[0].role != "assistant":  # both are whole conversations
        if given and prompt[-1:] != begin[-1:]:
            raise ValueError("chosen and rejected do not begin with the prompt: want it there, or no prompt")
        system = {"system": prompt[0].content} if prompt and prompt[0].role == "system" else record
        prompt = conversation.with_system(system, begin)
    elif not given:
        raise ValueError("no prompt, and chosen and rejected begin with no turn that both have")
    else:
        prompt = [*prompt, *begin]
    return Pair(conversation.about(record, prompt), chosen, rejected, tool_schemas.tools(record))


def _after(prompt: list[Message], answer: list[Message]) -> tuple[list[Message], list[Message]]:
    """(the prompt, the turns that follow it): where an answer repeats the prompt, a system turn may be in one of them.

    Raises:
        ValueError: both have a system turn, and these differ.
    """
    question = [turn for turn in prompt if turn.role != "system"]
    system = answer[:1] if answer[:1] and answer[0].role == "system" else []
    if not question or answer[len(system) :][: len(question)] != question:
        return prompt, answer
    if system:
        prompt = conversation.with_system({"system": system[0].content}, prompt)
    return prompt, answer[len(system) + len(question) :]


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
