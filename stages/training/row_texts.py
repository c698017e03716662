"""The texts of a row that its rendering must hold, and a stand-in: the same row with a placeholder for each text."""

import json
from typing import Any, NamedTuple

import msgspec

from stages.rows.row import Function, Message, ToolCall

NO_TEXT = ("type", "required", "$ref", "$schema")  # of a tool's schema: templates choose their words by it


class RowText(NamedTuple):
    turn: int  # its index; -1: no turn, a tool
    field: str  # content, reasoning_content, tool_calls or tools
    forms: tuple[str, ...]  # how a template may write it
    placeholder: str  # "": true, false and null have none


class StandIn(NamedTuple):
    turns: list[Message]
    tools: list[dict[str, Any]]
    texts: list[RowText]

    @property
    def shape(self) -> bytes:
        """Equal for rows that differ in their texts only."""
        return msgspec.json.encode((self.turns, self.tools))


def stand_in(turns: list[Message], tools: list[dict[str, Any]]) -> StandIn:
    """The stand-in of a row.

    A template may strip white space around what a turn says, and may write arguments, schemas and what a tool answers
    as JSON. It may change nothing otherwise; strings in arguments and schemas keep their white space.
    """
    texts: list[RowText] = []

    def words(turn: int, field: str, text: str, json_too: bool = False) -> str:
        forms = (text.strip(), _escaped(text)) if json_too else (text.strip(),)
        return place(turn, field, forms) if text.strip() else text

    def place(turn: int, field: str, forms: tuple[str, ...]) -> str:
        placeholder = f"zq{len(texts)}qz"
        texts.append(RowText(turn, field, forms, placeholder))
        return placeholder

    def value(turn: int, item: Any) -> Any:
        if isinstance(item, dict):
            return {string(turn, "tool_calls", name): value(turn, inner) for name, inner in item.items()}
        if isinstance(item, list):
            return [value(turn, inner) for inner in item]
        if isinstance(item, str):
            return string(turn, "tool_calls", item)
        forms = (json.dumps(item), repr(item))
        number = None if item is None or isinstance(item, bool) else type(item)(70_000_000 + len(texts))
        texts.append(RowText(turn, "tool_calls", forms, "" if number is None else repr(number)))
        return item if number is None else number

    def string(turn: int, field: str, text: str) -> str:
        return place(turn, field, (_escaped(text), text)) if text else text

    def schema(item: Any, named: bool = False) -> Any:
        """`named`: the keys of the dict are names that somebody chose."""
        if isinstance(item, dict):
            return {
                string(-1, "tools", key) if named else key: inner
                if not named and key in NO_TEXT
                else schema(inner, named=not named and key in ("properties", "$defs"))
                for key, inner in item.items()
            }
        if isinstance(item, list):
            return [schema(inner) for inner in item]
        return string(-1, "tools", item) if isinstance(item, str) else item

    replaced = []
    for index, turn in enumerate(turns):
        reasoning = words(index, "reasoning_content", turn.reasoning_content)
        content = words(index, "content", turn.content, turn.role == "tool")
        calls = [
            ToolCall(
                Function(place(index, "tool_calls", (call.function.name,)), value(index, call.function.arguments)),
                call.type, call.id and "id",
            )
            for call in turn.tool_calls
        ]  # fmt: skip
        name, answered = turn.name and "name", turn.tool_call_id and "id"
        replaced.append(Message(turn.role, content, calls, name, answered, reasoning, turn.train))
    return StandIn(replaced, schema(tools), texts)


def _escaped(text: str) -> str:
    """Inside a JSON string, as `tojson` of chat templates writes it."""
    return json.encoder.encode_basestring(text)[1:-1]
