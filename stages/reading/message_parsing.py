"""Turns, tool calls and tools in the spellings of all formats, read as canonical messages."""

import re
from collections.abc import Sequence
from typing import Any

from stages.reading.spellings import one_of
from stages.reading.text_values import json_object, json_value, type_name
from stages.reading.unread import WHOLE, empty
from stages.rows.row import Function, Message, ToolCall

ROLES: dict[str, Any] = {
    **dict.fromkeys(("system", "developer"), "system"),
    **dict.fromkeys(("user", "human", "prompter"), "user"),
    **dict.fromkeys(("assistant", "gpt", "bot", "model", "chatgpt", "bing", "bard"), "assistant"),
    **dict.fromkeys(("tool", "function", "observation", "function_response", "ipython"), "tool"),
    "function_call": "assistant",
}
SPEAKERS = {name: role for name, role in ROLES.items() if role != "tool" and name != "function_call"}  # of plain turns
TRANSCRIPT = re.compile(r"\n\n(Human|Assistant):(?: |\Z)?")  # turns in one text, as in Anthropic's HH-RLHF
REASONING = ("reasoning_content", "reasoning", "thinking")
MASKS = {  # field of a turn -> whether it says that the turn is trained, or that it is not
    **dict.fromkeys(("weight", "train", "trainable", "training", "loss", "loss_mask"), True),
    "masked": False,
}
FLAGS = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}

# What is read, as trees of unread.leaves.
CONTENT = {"type": WHOLE, "text": WHOLE}
FUNCTION = {"name": WHOLE, "arguments": WHOLE}
CALL = {"id": WHOLE, "type": WHOLE, "function": FUNCTION}
FLAT_CALL = {"id": WHOLE, "type": WHOLE, **FUNCTION}


def call_fields(call: dict[str, Any]) -> dict[str, Any]:
    """What `tool_call` reads of a call."""
    return FLAT_CALL if empty(call.get("function")) else CALL


TURN = {
    **dict.fromkeys(("role", "from", *REASONING, *MASKS), WHOLE),
    **dict.fromkeys(("content", "value"), CONTENT),
    **dict.fromkeys(("tool_calls", "function_call"), call_fields),
}
CALLING_TURN = {**TURN, "content": call_fields, "value": call_fields}  # of role function_call
TOOL_TURN = {**TURN, "name": WHOLE, "tool_call_id": WHOLE}


def turn_fields(turn: dict[str, Any]) -> Any:
    """What `message` reads of a turn."""
    if len(turn) == 2 and type(turn.get("content", turn.get("value"))) is str and ("role" in turn or "from" in turn):
        return WHOLE  # most turns
    speaker = turn["from"] if "from" in turn else turn.get("role")
    if speaker == "function_call":
        return CALLING_TURN
    return TOOL_TURN if ROLES.get(speaker) == "tool" else TURN


def messages(value: Any, role: str) -> list[Message]:
    """A list of turns as messages, one turn, or a text as one message of this role.

    A text spelt "\\n\\nHuman: …\\n\\nAssistant: …" is read as turns; where it ends in "Assistant:", the answer follows.

    Raises:
        TypeError, ValueError: a turn has another shape or an unknown role.
    """
    if isinstance(value, str):
        return _transcript(value) if value.startswith("\n\nHuman:") else [Message(ROLES[role], value)]
    if isinstance(value, dict) and ("role" in value or "from" in value):
        return [message(value)]
    if not isinstance(value, list):
        raise TypeError(f"{type_name(value)}: want a text or a list of messages")
    return [message(turn) for turn in value]


def _transcript(text: str) -> list[Message]:
    _, *parts = TRANSCRIPT.split(text)
    turns = [Message(ROLES[speaker.lower()], said) for speaker, said in zip(parts[::2], parts[1::2], strict=True)]
    return turns[:-1] if turns[-1] == Message("assistant", "") else turns


def message(turn: Any) -> Message:
    """One turn, {"role", "content"} or {"from", "value"}, with or without tool calls, reasoning and masks."""
    if not isinstance(turn, dict):
        raise TypeError(f'{type_name(turn)}: want a message, such as {{"role", "content"}}')
    if len(turn) == 2:  # the fast path of most turns
        names = ("role", "content") if "role" in turn else ("from", "value")
        speaker, content = turn.get(names[0]), turn.get(names[1])
        if type(content) is str and type(speaker) is str and speaker in SPEAKERS:
            return Message(SPEAKERS[speaker], content)
    speaker = turn["from"] if "from" in turn else turn["role"]
    role = ROLES.get(speaker) if isinstance(speaker, str) else None
    if role is None or ROLES.get(turn.get("role", speaker)) != role:
        raise ValueError(f"role {turn['role'] if role else speaker!r}: want one of {', '.join(ROLES)}")
    content, calls = one_of(turn, ("content", "value")), []
    if speaker == "function_call":
        content = json_value(content) if isinstance(content, str) else content
        calls = [tool_call(call, True) for call in (content if isinstance(content, list) else [content])]
        content = ""
    calls += [tool_call(call) for call in _items(turn.get("tool_calls"))]
    if not empty(turn.get("function_call")):
        calls.append(tool_call(turn["function_call"]))
    content = content_text(content)
    if content is None and calls:
        content = ""
    reasoning = one_of(turn, REASONING)
    if not empty(reasoning) and not (isinstance(reasoning, str) and role == "assistant"):
        raise ValueError(f"reasoning of a turn of role {role}: {type_name(reasoning)}: want a text, of the assistant")
    name, call_id = (turn.get("name"), turn.get("tool_call_id")) if role == "tool" else (None, None)
    return Message(
        role, content, calls, _id(name), _id(call_id), "" if empty(reasoning) else reasoning, _is_trained(turn, role)
    )


def content_text(value: Any) -> Any:
    """The text of a content in parts; any other value as it is."""
    return "".join(_part_text(part) for part in value) if isinstance(value, list) else value


def tool_call(call: Any, closed: bool = False) -> ToolCall:
    """A tool call as OpenAI spells it, or as {"name", "arguments"}; each object may be given as its JSON.

    Args:
        closed: refuses fields that are not read, as for calls in texts, whose fields `unread` does not see.
    """
    closed = closed or isinstance(call, str)
    call = json_object(call, "tool call")
    if call.get("type") not in (None, "", "function"):
        raise ValueError(f"tool call of type {call['type']!r}: want function")
    fields = call_fields(call)
    if fields is CALL:
        closed = closed or isinstance(call["function"], str)
        function = json_object(call["function"], "function")
    else:
        function = call
    more = call.keys() - fields.keys() | (set() if function is call else function.keys() - FUNCTION.keys())
    if closed and more:
        raise ValueError(f"tool call with {', '.join(sorted(more))}: want name and arguments")
    arguments = function.get("arguments")
    arguments = {} if empty(arguments) else json_object(arguments, f"arguments of {function['name']}")
    return ToolCall(Function(function["name"], arguments), "function", _id(call.get("id")))


def shared(first: Sequence[Message], second: Sequence[Message]) -> int:
    """Number of equal turns at the beginning of two conversations."""
    count = 0
    while count < min(len(first), len(second)) and first[count] == second[count]:
        count += 1
    return count


def _is_trained(turn: dict[str, Any], role: str) -> bool:
    """Whether the loss sees a turn: by default that of an assistant's, whatever else the turn says."""
    says = {}
    for name, meaning in MASKS.items():
        if not empty(value := turn.get(name)):
            flag = FLAGS.get(str(value).strip().lower())
            if flag is None:
                raise ValueError(f"{name} {value!r}: want 0 or 1: a turn is trained, or it is not")
            says[name] = flag == meaning
    if len(set(says.values())) > 1:
        raise ValueError(f"{' and '.join(says)} contradict each other")
    if role == "assistant":
        return all(says.values())
    if any(says.values()):
        raise ValueError(f"{next(iter(says))}: a turn of role {role} to train on: only those of assistants are")
    return True  # the default; the loss sees no such turn anyway


def _items(value: Any) -> list[Any]:
    """The elements of a list, or of the list that a text holds."""
    if empty(value):
        return []
    value = json_value(value) if isinstance(value, str) else value
    if not isinstance(value, list):
        raise TypeError(f"tool_calls: {type_name(value)}: want a list")
    return value


def _id(value: Any) -> Any:
    """A name or an id; whole numbers as text."""
    if type(value) is int:
        return str(value)
    return "" if empty(value) else value


def _part_text(part: Any) -> str:
    """The text of one part of a multi-part content."""
    if isinstance(part, str):
        return part
    if part.get("type") != "text":
        raise ValueError(f"content of type {part.get('type')!r}: want text; nothing else is trained on")
    return part["text"]
