"""The texts inside a content, to read or to rewrite."""

import math
from collections.abc import Callable
from typing import Any

import msgspec

from stages.rows import parts
from stages.rows.row import Content, Function, Message, ToolCall

MIN_NUMBER = 10**6  # of seven digits: no shorter number is personal data


def content_texts(content: Content) -> list[str]:
    """Every text of a content, in order: of each turn its content, reasoning, strings in arguments of calls."""
    split = parts.split(content)
    texts: list[str] = [split.text] if split.text else []
    for message in split.turns:
        texts.append(message.content)
        if message.reasoning_content:
            texts.append(message.reasoning_content)
        for call in message.tool_calls:
            _map_strings(call.function.arguments, lambda text: texts.append(text) or text)
    return texts


def characters(content: Content) -> int:
    """Characters of all texts of a content."""
    return sum(map(len, content_texts(content)))


def map_texts(
    content: Content, change: Callable[[str], str], change_data: Callable[[str], str] | None = None
) -> Content:
    """The content with `change` applied to each of the texts that `content_texts` lists.

    `change_data`, where it is given, is applied in its place to the strings in arguments of tool calls and to what
    tools answer. A whole number in arguments that has the digits of a phone number or more is given to it as its text,
    which replaces the number if it changes.
    """
    change_data = change_data or change

    def change_call(call: ToolCall) -> ToolCall:
        function = Function(call.function.name, _map_strings(call.function.arguments, change_data, MIN_NUMBER))
        return ToolCall(function, call.type, call.id)

    def change_turn(turn: Message) -> Message:
        change_content = change_data if turn.role == "tool" else change
        if turn.train and not (turn.tool_calls or turn.reasoning_content or turn.name or turn.tool_call_id):
            return Message(turn.role, change_content(turn.content))  # most turns, and `replace` is slow
        return msgspec.structs.replace(
            turn,
            content=change_content(turn.content),
            tool_calls=[change_call(call) for call in turn.tool_calls],
            reasoning_content=change(turn.reasoning_content) if turn.reasoning_content else "",
        )

    split = parts.split(content)
    turns = ([change_turn(turn) for turn in part] for part in (split.prompt, split.answer, split.rejected))
    return parts.join(content, parts.Parts(*turns, split.tools, change(split.text) if split.text else ""))


def _map_strings(value: Any, change: Callable[[str], str], min_number: float = math.inf) -> Any:
    """A JSON value with each string in it changed, and each whole number from `min_number` on; names of fields stay."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_map_strings(item, change, min_number) for item in value]
    if isinstance(value, dict):
        return {name: _map_strings(item, change, min_number) for name, item in value.items()}
    if isinstance(value, int) and abs(value) >= min_number:
        text = change(str(value))
        return value if text == str(value) else text
    return value
