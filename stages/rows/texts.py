"""The texts inside a content, to read or to rewrite."""

from collections.abc import Callable, Sequence
from typing import Any

from stages.rows.row import Chat, Content, Function, Message, Pair, Text, ToolCall


def content_texts(content: Content) -> list[str]:
    """Every text of a content, in order: of each turn its content, then the strings in its tool calls' arguments."""
    if isinstance(content, Text):
        return [content.text]
    turns = content.messages if isinstance(content, Chat) else [*content.prompt, *content.chosen, *content.rejected]
    texts: list[str] = []
    for message in turns:
        texts.append(message.content)
        for call in message.tool_calls:
            _map_strings(call.function.arguments, lambda text: texts.append(text) or text)
    return texts


def map_texts(content: Content, change: Callable[[str], str]) -> Content:
    """The content with `change` applied to each of the texts that `content_texts` lists."""

    def change_call(call: ToolCall) -> ToolCall:
        function = Function(call.function.name, _map_strings(call.function.arguments, change))
        return ToolCall(function, call.type, call.id)

    def change_turns(turns: Sequence[Message]) -> list[Message]:
        return [
            Message(m.role, change(m.content), [change_call(c) for c in m.tool_calls], m.name, m.tool_call_id)
            if m.tool_calls or m.name or m.tool_call_id
            else Message(m.role, change(m.content))
            for m in turns
        ]

    if isinstance(content, Text):
        return Text(change(content.text))
    if isinstance(content, Chat):
        return Chat(change_turns(content.messages), content.tools)
    return Pair(change_turns(content.prompt), change_turns(content.chosen), change_turns(content.rejected))


def _map_strings(value: Any, change: Callable[[str], str]) -> Any:
    """A JSON value with each string in it changed; names of fields stay."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_map_strings(item, change) for item in value]
    if isinstance(value, dict):
        return {name: _map_strings(item, change) for name, item in value.items()}
    return value
