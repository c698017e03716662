"""Contents of turns: a text, or a list of parts, in the spellings of OpenAI, Anthropic and Gemini.

Texts in succession are joined by a line break, as vLLM and TensorRT-LLM join them for templates that take texts.
"""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from stages.reading.flags import flag
from stages.reading.text_values import type_name
from stages.reading.tool_calls import call_fields, text_id, tool_call
from stages.reading.unread import WHOLE, empty
from stages.rows.row import Message, ToolCall


class Said(NamedTuple):
    """What a content says. A turn of a row says it in this order; results are turns before it."""

    results: list[Message]
    reasoning: str
    text: Any  # a text, if the content is well-formed
    calls: list[ToolCall]


class Kind(NamedTuple):
    """A kind of part: which field of `Said` it is, what is read of it, and the function that reads it."""

    field: str
    fields: Any
    read: Callable[[dict[str, Any]], Any]


def _texts(name: str) -> Kind:
    return Kind("text", dict.fromkeys(("type", name), WHOLE), lambda part: part[name])


def _reasoning(name: str) -> Kind:
    fields = {"type": WHOLE, "thought": WHOLE, name: part_fields}
    return Kind("reasoning", fields, lambda part: content_text(part[name]))


def _anthropic_result(part: dict[str, Any]) -> Message:
    return Message("tool", content_text(part.get("content", "")), tool_call_id=text_id(part.get("tool_use_id")))


def _gemini_result(part: dict[str, Any]) -> Message:
    result = part.get("functionResponse") or part["function_response"]
    said = result.get("response")
    said = said if isinstance(said, str) else json.dumps({} if said is None else said, ensure_ascii=False)
    return Message("tool", said, name=text_id(result.get("name")), tool_call_id=text_id(result.get("id")))


def part_fields(part: dict[str, Any]) -> dict[str, Any]:
    """What is read of a part, as a tree of `stages.reading.unread`."""
    kind = KINDS.get(_kind(part))
    return kind.fields(part) if kind and callable(kind.fields) else kind.fields if kind else {}


def read(content: Any) -> Said:
    """What a content says.

    Raises:
        TypeError, ValueError, KeyError: a part is of a kind that no row holds, or stands where no template puts it.
    """
    if not isinstance(content, list):
        return Said([], "", content, [])
    said: dict[str, list[Any]] = {field: [] for field in Said._fields}
    order = 0
    for part in content:
        kind = "text" if isinstance(part, str) else _kind(part)
        if kind not in KINDS:
            raise ValueError(f"content of type {kind!r}: want text; nothing else is trained on")
        field = KINDS[kind].field
        place = Said._fields.index(field)
        if place < order:
            raise ValueError(f"{field} after {Said._fields[order]} in one turn: want turns of their own")
        order = place
        value = part if isinstance(part, str) else KINDS[kind].read(part)
        said[field] += [] if value == "" else [value]
    return Said(said["results"], "\n".join(said["reasoning"]), "\n".join(said["text"]), said["calls"])


def content_text(value: Any) -> Any:
    """The text of a content in parts; any other value as it is.

    Raises:
        ValueError: it says more than a text.
    """
    said = read(value)
    if said.results or said.reasoning or said.calls:
        raise ValueError("content of calls, results or reasoning: want text")
    return said.text


def _kind(part: Any) -> Any:
    """The type of a part, or the field that it consists of; a text that is a `thought` is one, both as in Gemini."""
    if not isinstance(part, dict):
        raise TypeError(f"part of a content: {type_name(part)}: want an object")
    kind = part.get("type")
    if empty(kind):
        kind = next((name for name, value in part.items() if name in UNTYPED and not empty(value)), None)
    return "thought" if kind in TEXTS and flag(part.get("thought")) else kind


TEXTS = ("text", "input_text", "output_text")
RESULT_OF_GEMINI = dict.fromkeys(("name", "response", "id"), WHOLE)
KINDS = {  # type of a part, or the field that it consists of
    **dict.fromkeys(TEXTS, _texts("text")),
    **dict.fromkeys(("reasoning", "reasoning_text", "summary_text", "thought"), _reasoning("text")),
    "thinking": _reasoning("thinking"),
    **dict.fromkeys(("tool_use", "functionCall", "function_call"), Kind("calls", call_fields, tool_call)),
    "tool_result": Kind("results", {"type": WHOLE, "tool_use_id": WHOLE, "content": part_fields}, _anthropic_result),
    **{name: Kind("results", {name: RESULT_OF_GEMINI}, _gemini_result)
       for name in ("functionResponse", "function_response")},
}  # fmt: skip
UNTYPED = ("text", "functionCall", "function_call", "functionResponse", "function_response")
