"""The sides of a row that are compared, each on its own: rows that say the same are alike in every one of them.

A text is compared by its letters, and what a letter more or less turns into something else by equality: the tools,
the calls without their texts, the turns that the loss does not see, the numbers of an answer.
"""

import re
from typing import Any, NamedTuple

import msgspec

from stages.rows import parts
from stages.rows.row import Content, Judged, Message

NUMBER = re.compile(r"-?\d+(?:[.,]\d+)*")
ENCODER = msgspec.json.Encoder(order="sorted")


class Sides(NamedTuple):
    """The sides that a row lacks are empty."""

    system: str
    question: str  # the other turns before the answer; of a text the text
    answer: str
    rejected: str
    context: bytes  # tools, calls and masks of the turns before the answer
    facts: bytes  # numbers, calls and mask of the answers
    good: bool  # what a judged answer was found


def sides(content: Content) -> Sides:
    """The sides of a content."""
    split = parts.split(content)
    if not split.turns:
        return Sides("", split.text, "", "", b"", b"", True)
    asked = [turn for turn in split.prompt if turn.role != "system"]
    answer, rejected = _text(split.answer), _text(split.rejected)
    context = [split.tools, *_calls(split.prompt)] if split.tools or any(map(_has_facts, split.prompt)) else []
    facts = [NUMBER.findall(answer), NUMBER.findall(rejected)]
    answers = [*split.answer, *split.rejected]
    facts += _calls(answers) if any(map(_has_facts, answers)) else []
    return Sides(
        "\n".join(turn.content for turn in split.prompt if turn.role == "system"), _text(asked), answer, rejected,
        ENCODER.encode(context), ENCODER.encode(facts), content.good if isinstance(content, Judged) else True,
    )  # fmt: skip


def is_text(found: Sides) -> bool:
    """Whether these are the sides of a text, which has no question."""
    return not found.context


def _text(turns: list[Message]) -> str:
    """What the turns say: contents, reasoning, names and arguments of calls."""
    return "\n".join(_turn_text(turn) for turn in turns)


def _turn_text(turn: Message) -> str:
    if not (turn.tool_calls or turn.reasoning_content):
        return turn.content
    calls = [f"{call.function.name} {ENCODER.encode(call.function.arguments).decode()}" for call in turn.tool_calls]
    return "\n".join(text for text in (turn.reasoning_content, turn.content, *calls) if text)


def _has_facts(turn: Message) -> bool:
    return bool(turn.tool_calls) or not turn.train


def _calls(turns: list[Message]) -> list[Any]:
    """The calls of turns without their texts, and the numbers of turns that are not trained."""
    calls = [call.function for turn in turns for call in turn.tool_calls]
    untrained = [number for number, turn in enumerate(turns) if not turn.train]
    return [[(call.name, _without_texts(call.arguments)) for call in calls], untrained]


def _without_texts(value: Any) -> Any:
    """A JSON value; of the texts in it only the numbers."""
    if isinstance(value, str):
        return NUMBER.findall(value)
    if isinstance(value, list):
        return [_without_texts(item) for item in value]
    if isinstance(value, dict):
        return {name: _without_texts(item) for name, item in value.items()}
    return value
