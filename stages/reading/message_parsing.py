"""Turns, tool calls and tools in the spellings of all formats, read as canonical messages."""

import json
from collections.abc import Sequence
from typing import Any

from stages.rows.row import Function, Message, ToolCall

ROLES: dict[str, Any] = {
    **dict.fromkeys(("system", "developer"), "system"),
    **dict.fromkeys(("user", "human", "prompter"), "user"),
    **dict.fromkeys(("assistant", "gpt", "bot", "model", "chatgpt", "bing", "bard"), "assistant"),
    **dict.fromkeys(("tool", "function", "observation", "function_response", "ipython"), "tool"),
    "function_call": "assistant",
}
CANONICAL_ROLES = ("system", "user", "assistant")


def messages(value: Any, role: str) -> list[Message]:
    """A list of turns as messages, or a text as one message of this role.

    Raises:
        TypeError, ValueError: a turn has another shape or an unknown role.
    """
    if isinstance(value, str):
        return [Message(ROLES[role], value)]
    if not isinstance(value, list):
        raise TypeError(f"{_type_name(value)}: want a text or a list of messages")
    return [message(turn) for turn in value]


def message(turn: Any) -> Message:
    """One turn, {"role", "content"} or {"from", "value"}, with or without tool calls."""
    if not isinstance(turn, dict):
        raise TypeError(f'{_type_name(turn)}: want a message, such as {{"role", "content"}}')
    content = turn.get("content")
    if len(turn) == 2 and isinstance(content, str) and turn.get("role") in CANONICAL_ROLES:
        return Message(turn["role"], content)  # the fast path of most turns
    speaker = turn["from"] if "from" in turn else turn["role"]
    content = turn.get("value", content)
    role = ROLES.get(speaker) if isinstance(speaker, str) else None
    if role is None:
        raise ValueError(f"role {speaker!r}: want one of {', '.join(ROLES)}")
    if speaker == "function_call":
        return Message(role, "", [tool_call(_json_object(content, "function_call"))])
    calls = [tool_call(call) for call in turn.get("tool_calls") or ()]
    if turn.get("function_call"):
        calls.append(tool_call(turn["function_call"]))
    if isinstance(content, list):
        content = "".join(_part_text(part) for part in content)
    if content is None and calls:
        content = ""
    if role == "tool":
        return Message(role, content, calls, turn.get("name") or "", turn.get("tool_call_id") or "")
    return Message(role, content, calls)


def tool_call(call: Any) -> ToolCall:
    """A tool call as OpenAI spells it, or as {"name", "arguments"}; arguments may be an object or its JSON."""
    function = call["function"] if isinstance(call.get("function"), dict) else call
    arguments = function.get("arguments")
    arguments = _json_object(arguments, f"arguments of {function['name']}") if arguments not in (None, "") else {}
    return ToolCall(Function(function["name"], arguments), "function", call.get("id") or "")


def tools(record: dict[str, Any]) -> list[dict[str, Any]]:
    """The tools of a record ("tools" or "functions", a list or its JSON), each as {"type": "function", "function": …}.

    Raises:
        TypeError: they are not a list of objects.
    """
    schemas = record.get("tools") or record.get("functions")
    if not schemas:
        return []
    if isinstance(schemas, str):
        schemas = json.loads(schemas) if schemas.strip() else []
    if not isinstance(schemas, list) or not all(isinstance(schema, dict) for schema in schemas):
        raise TypeError(f"tools: {_type_name(schemas)}: want a list of JSON schemas")
    return [schema if "function" in schema else {"type": "function", "function": schema} for schema in schemas]


def system(record: dict[str, Any]) -> list[Message]:
    """The system turn of a record's field "system", or no turn."""
    return [Message("system", record["system"])] if record.get("system") else []


def shared(first: Sequence[Message], second: Sequence[Message]) -> int:
    """Number of equal turns at the beginning of two conversations."""
    count = 0
    while count < min(len(first), len(second)) and first[count] == second[count]:
        count += 1
    return count


def _json_object(value: Any, name: str) -> dict[str, Any]:
    """An object, or the object that a JSON text holds."""
    if isinstance(value, str):
        value = json.loads(value)
    if not isinstance(value, dict):
        raise TypeError(f"{name}: {_type_name(value)}: want a JSON object")
    return value


def _part_text(part: Any) -> str:
    """The text of one part of a multi-part content."""
    if isinstance(part, str):
        return part
    if part.get("type") != "text":
        raise ValueError(f"content of type {part.get('type')!r}: want text; nothing else is trained on")
    return part["text"]


def _type_name(value: Any) -> str:
    return {dict: "an object", list: "a list", str: "a text", type(None): "null"}.get(type(value), repr(value))
