"""A query with the calls that answer it: {"query", "tools", "answers"}, as xLAM's and APIGen's data have it.

`tools` and `answers` are lists, or the JSON of lists: of schemas, and of {"name", "arguments"}.
"""

from collections.abc import Set
from typing import Any

from stages.reading import conversation, tool_schemas
from stages.reading import message_parsing as parsing
from stages.reading.text_values import json_value, type_name
from stages.rows.row import Chat, Content, Message

FIELDS: dict[str, Any] = {
    "query": parsing.turn_fields, "answers": parsing.call_fields, **conversation.QUESTION, **conversation.SETTING,
}  # fmt: skip


def matches(fields: Set[str]) -> bool:
    return fields >= {"query", "tools", "answers"}


def read(record: dict[str, Any]) -> Content:
    calls = record["answers"]
    in_text = isinstance(calls, str)
    if in_text:
        calls = json_value(calls)
    if not isinstance(calls, list):
        raise TypeError(f"answers: {type_name(calls)}: want a list of calls")
    answer = Message("assistant", "", [parsing.tool_call(call, closed=in_text) for call in calls])
    turns = [*conversation.about(record, parsing.messages(record["query"], "user")), answer]
    return Chat(conversation.with_system(record, turns), tool_schemas.tools(record))
