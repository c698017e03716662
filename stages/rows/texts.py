"""The texts of a row, read and rewritten."""

from collections.abc import Sequence
from typing import Any

from stages.rows.row import Chat, Content, Function, Message, Pair, Text, ToolCall


def texts(content: Content) -> list[str]:
    """Every text of a row, in order: of each turn its content, then the texts among its calls' arguments."""
    if isinstance(content, Text):
        return [content.text]
    chat = isinstance(content, Chat)
    turns = content.messages if chat else [*content.prompt, *content.chosen, *content.rejected]
    found: list[str] = []
    for message in turns:
        found.append(message.content)
        for call in message.tool_calls:
            _each(call.function.arguments, lambda text: found.append(text) or text)
    return found


def rewrite(content: Content, change: Any) -> Content:
    """The content with `change(text) -> text` applied to each of its texts."""

    def call(found: ToolCall) -> ToolCall:
        function = Function(found.function.name, _each(found.function.arguments, change))
        return ToolCall(function, found.type, found.id)

    def messages(found: Sequence[Message]) -> list[Message]:
        return [
            Message(m.role, change(m.content), [call(c) for c in m.tool_calls], m.name, m.tool_call_id)
            if m.tool_calls or m.name or m.tool_call_id
            else Message(m.role, change(m.content))
            for m in found
        ]

    if isinstance(content, Text):
        return Text(change(content.text))
    if isinstance(content, Chat):
        return Chat(messages(content.messages), content.tools)
    return Pair(messages(content.prompt), messages(content.chosen), messages(content.rejected))


def _each(value: Any, change: Any) -> Any:
    """A JSON value with each text in it changed; names of fields are none."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_each(item, change) for item in value]
    if isinstance(value, dict):
        return {name: _each(item, change) for name, item in value.items()}
    return value
