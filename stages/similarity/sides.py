"""The sides of a row that are compared, each on its own: rows that say the same are alike in every one of them.

Texts are alike to a degree. What one letter more or less turns into something else must be equal: the facts (tools,
calls, turns that the loss does not see, a judgement).
"""

from typing import Any, NamedTuple

import msgspec

from stages.rows import parts
from stages.rows.row import Content, Judged, Message, Row

EXCERPT_CHARS = 80
ENCODER = msgspec.json.Encoder(order="sorted")


class Sides(NamedTuple):
    """Texts; those that a row lacks are empty."""

    system: str
    question: str  # the other turns before the answer; of a text the text
    answer: str
    rejected: str


class Facts(NamedTuple):
    context: bytes  # tools, calls and masks of the turns before the answer; empty if there are none
    answers: bytes  # calls and masks of the answers; empty if there are none
    good: bool  # what a judged answer was found


def sides(content: Content) -> Sides:
    """The texts of a content."""
    split = parts.split(content)
    system, asked = [], []
    for turn in split.prompt:
        (system if turn.role == "system" else asked).append(turn_text(turn))
    answers = ("\n".join(map(turn_text, turns)) if turns else "" for turns in (split.answer, split.rejected))
    return Sides("\n".join(system), split.text or "\n".join(asked), *answers)


def facts(content: Content) -> Facts:
    """The facts of a content."""
    split = parts.split(content)
    answers = split.answer + split.rejected
    return Facts(
        ENCODER.encode([split.tools, *_calls(split.prompt)]) if split.tools or _has_calls(split.prompt) else b"",
        ENCODER.encode(_calls(answers)) if _has_calls(answers) else b"",
        content.good if isinstance(content, Judged) else True,
    )


def excerpt(row: Row) -> str:
    """The question and the answer of a row, cut."""
    found = sides(row.content)
    texts = (" ".join(text.split()) for text in (found.question, found.answer) if text)
    return " → ".join(f"{text[:EXCERPT_CHARS]}…" if len(text) > EXCERPT_CHARS else text for text in texts)


def turn_text(turn: Message) -> str:
    """What a turn says: content, reasoning, names and arguments of calls."""
    if not (turn.tool_calls or turn.reasoning_content):
        return turn.content
    calls = [f"{call.function.name} {ENCODER.encode(call.function.arguments).decode()}" for call in turn.tool_calls]
    return "\n".join(text for text in (turn.reasoning_content, turn.content, *calls) if text)


def _has_calls(turns: list[Message]) -> bool:
    return any(turn.tool_calls or not turn.train for turn in turns)


def _calls(turns: list[Message]) -> list[Any]:
    """The calls of turns, and the numbers of turns that are not trained."""
    calls = [call.function for turn in turns for call in turn.tool_calls]
    untrained = [number for number, turn in enumerate(turns) if not turn.train]
    return [[(call.name, call.arguments) for call in calls], untrained]
