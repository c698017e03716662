"""Calls of tools in the spellings of several vendors.

A call is {"name", "arguments"}, or has these in a field of its own. Each object may be given as its JSON.
"""

from typing import Any

from stages.reading.spellings import one_of
from stages.reading.text_values import json_object, json_value
from stages.reading.unread import WHOLE, empty
from stages.rows.row import Function, ToolCall

WRAPPERS = (
    "function",
    "functionCall",
    "function_call",
)  # the field that has name and arguments: OpenAI's chats, Gemini
ARGUMENTS = (
    "arguments",  # OpenAI, Hermes, Mistral
    "args",  # LangChain, Gemini
    "input",  # Anthropic
    "parameters",  # Llama
)
TYPES = (None, "", "function", "tool_call", "tool_use", "function_call")  # OpenAI, LangChain, Anthropic, Responses
IDS = ("call_id", "id")  # an item of Responses has an id of its own beside that of the call
FUNCTION = dict.fromkeys(("name", *ARGUMENTS), WHOLE)
FLAT = {**dict.fromkeys((*IDS, "type"), WHOLE), **FUNCTION}
WRAPPED = {wrapper: {**dict.fromkeys((*IDS, "type"), WHOLE), wrapper: FUNCTION} for wrapper in WRAPPERS}


def call_fields(call: dict[str, Any]) -> dict[str, Any]:
    """What `tool_call` reads of a call, as a tree of `stages.reading.unread`."""
    return WRAPPED.get(_wrapper(call), FLAT)


def tool_call(call: Any, closed: bool = False) -> ToolCall:
    """A call as a row has it.

    Args:
        closed: refuses fields that are not read, as for calls in texts, whose fields `unread` does not see.

    Raises:
        TypeError, ValueError, KeyError: it has another shape.
    """
    closed = closed or isinstance(call, str)
    call = json_object(call, "tool call")
    if call.get("type") not in TYPES:
        raise ValueError(f"tool call of type {call['type']!r}: want function")
    function, more = call, call.keys() - FLAT.keys()
    if wrapper := _wrapper(call):
        closed = closed or isinstance(call[wrapper], str)
        function = json_object(call[wrapper], wrapper)
        more = (call.keys() - WRAPPED[wrapper].keys()) | (function.keys() - FUNCTION.keys())
    if closed and more:
        raise ValueError(f"tool call with {', '.join(sorted(more))}: want name and arguments")
    name = function.get("name")
    if not isinstance(name, str) or empty(name):
        raise ValueError(f"a call of {', '.join(function) or 'nothing'} has no name: want name and arguments")
    call_id = next((call[field] for field in IDS if not empty(call.get(field))), None)
    return ToolCall(Function(name, _arguments(function)), "function", text_id(call_id))


def text_id(value: Any) -> Any:
    """A name or an id; whole numbers as text."""
    if type(value) is int:
        return str(value)
    return "" if empty(value) else value


def _arguments(function: dict[str, Any]) -> dict[str, Any]:
    """The arguments, which are none if they say nothing: "", "null", "[]"."""
    value = one_of(function, ARGUMENTS)
    if isinstance(value, str) and not empty(value):
        value = json_value(value)
    return {} if empty(value) else json_object(value, f"arguments of {function['name']}")


def _wrapper(call: dict[str, Any]) -> str:
    return next((name for name in WRAPPERS if not empty(call.get(name))), "")
