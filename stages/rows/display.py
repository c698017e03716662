"""Prompt and answer of a row as plain text, for pages that people read. Nothing that a turn holds is left out."""

from typing import Any

import msgspec

from stages.rows import parts
from stages.rows.row import Chat, Content, Judged, Message, Pair, Text

ANSWERS = {  # kind -> the name of its answer
    Chat: lambda content: "answer",
    Pair: lambda content: "chosen",
    Judged: lambda content: "good answer" if content.good else "bad answer",
    Text: lambda content: "text",
}


def prompt_text(content: Content) -> str:
    """The names of the tools and all turns before the answer; a lone question is its text alone."""
    split = parts.split(content)
    if not split.tools and [(turn.role, turn.train) for turn in split.prompt] == [("user", True)]:
        return turn_text(split.prompt[0])
    tools = [f"tools: {', '.join(map(tool_name, split.tools))}"] if split.tools else []
    return "\n\n".join([*tools, *(f"{speaker(turn)}: {turn_text(turn)}" for turn in split.prompt)])


def answers(content: Content) -> dict[str, str]:
    """{what it is: text} of the answer, or of both answers of a pair; of a text the whole text."""
    split, name = parts.split(content), ANSWERS[type(content)](content)
    sides = {name: split.answer} | ({"rejected": split.rejected} if split.rejected else {})
    return {_trained(name, turns): turns_text(turns) or split.text for name, turns in sides.items()}


def answer_text(content: Content, rejected: bool = False) -> str:
    """The text of the answer, or of the rejected one of a pair; of a text the whole text."""
    split = parts.split(content)
    return turns_text(split.rejected if rejected else split.answer) or split.text


def turns_text(turns: list[Message]) -> str:
    """What the turns of an answer hold, without their role."""
    return "\n\n".join(map(turn_text, turns))


def turn_text(turn: Message) -> str:
    """Reasoning, content and calls of a turn."""
    reasoning = f"(reasoning: {turn.reasoning_content})" if turn.reasoning_content else ""
    return "\n".join(filter(None, [reasoning, spoken(turn)]))


def spoken(turn: Message) -> str:
    """Content and calls of a turn: what it says to others."""
    calls = [
        f"call {call.function.name}({msgspec.json.encode(call.function.arguments).decode()})"
        for call in turn.tool_calls
    ]
    return "\n".join(filter(None, [turn.content, *calls]))


def speaker(turn: Message) -> str:
    """The role of a turn, the name of a tool that speaks, and whether the loss sees it: `assistant, not trained`."""
    return _trained(" ".join(filter(None, [turn.role, turn.name])), [turn])


def tool_name(schema: dict[str, Any]) -> str:
    """The name in a tool's schema, whether it is inside `function` or not; the schema itself if it has none."""
    function = schema.get("function")
    name = (function if isinstance(function, dict) else schema).get("name")
    return str(name) if name else msgspec.json.encode(schema).decode()


def _trained(name: str, turns: list[Message]) -> str:
    return name if all(turn.train for turn in turns) else f"{name}, not trained"
