"""Turns as the formats spell them, to canonical messages; tool calls and tools as chat templates take them."""

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
PLAIN = ("system", "user", "assistant")  # roles of turns that mean what they say


def messages(value: Any, role: str) -> list[Message]:
    """A list of turns; or a text, which is one turn of this role."""
    if isinstance(value, str):
        return [Message(ROLES[role], value)]
    if not isinstance(value, list):
        raise TypeError(f"{_kind(value)}: want a text or a list of messages")
    return [message(turn) for turn in value]


def message(turn: Any) -> Message:
    """One turn: {"role", "content"} or {"from", "value"}, perhaps with calls of tools."""
    if not isinstance(turn, dict):
        raise TypeError(f'{_kind(turn)}: want a message, such as {{"role", "content"}}')
    content = turn.get("content")
    if len(turn) == 2 and isinstance(content, str) and turn.get("role") in PLAIN:
        return Message(turn["role"], content)
    said = turn["from"] if "from" in turn else turn["role"]
    content = turn.get("value", content)
    role = ROLES.get(said) if isinstance(said, str) else None
    if role is None:
        raise ValueError(f"role {said!r}: want one of {', '.join(ROLES)}")
    if said == "function_call":
        return Message(role, "", [call(_json(content, "function_call"))])
    calls = [call(found) for found in turn.get("tool_calls") or ()]
    if turn.get("function_call"):
        calls.append(call(turn["function_call"]))
    if isinstance(content, list):
        content = "".join(_part(part) for part in content)
    if content is None and calls:
        content = ""
    if role == "tool":
        return Message(role, content, calls, turn.get("name") or "", turn.get("tool_call_id") or "")
    return Message(role, content, calls)


def call(found: Any) -> ToolCall:
    """A call of a tool, in OpenAI's spelling or as {"name", "arguments"}; arguments may be JSON in a text."""
    function = found["function"] if isinstance(found.get("function"), dict) else found
    arguments = function.get("arguments")
    arguments = _json(arguments, f"arguments of {function['name']}") if arguments not in (None, "") else {}
    return ToolCall(Function(function["name"], arguments), "function", found.get("id") or "")


def tools(record: dict[str, Any]) -> list[dict[str, Any]]:
    """The tools that a record declares, each as {"type": "function", "function": …}."""
    found = record.get("tools") or record.get("functions")
    if not found:
        return []
    if isinstance(found, str):
        found = json.loads(found) if found.strip() else []
    if not isinstance(found, list) or not all(isinstance(tool, dict) for tool in found):
        raise TypeError(f"tools: {_kind(found)}: want a list of JSON schemas")
    return [tool if "function" in tool else {"type": "function", "function": tool} for tool in found]


def system(record: dict[str, Any]) -> list[Message]:
    """The system's turn, where the record has a field for it."""
    return [Message("system", record["system"])] if record.get("system") else []


def shared(first: Sequence[Message], second: Sequence[Message]) -> int:
    """How many turns two conversations begin with alike."""
    count = 0
    while count < min(len(first), len(second)) and first[count] == second[count]:
        count += 1
    return count


def _json(value: Any, what: str) -> dict[str, Any]:
    if isinstance(value, str):
        value = json.loads(value)
    if not isinstance(value, dict):
        raise TypeError(f"{what}: {_kind(value)}: want a JSON object")
    return value


def _part(part: Any) -> str:
    if isinstance(part, str):
        return part
    if part.get("type") != "text":
        raise ValueError(f"content of type {part.get('type')!r}: want text; nothing else is trained on")
    return part["text"]


def _kind(value: Any) -> str:
    return {dict: "an object", list: "a list", str: "a text", type(None): "null"}.get(type(value), repr(value))
