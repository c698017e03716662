"""The shapes of values of fields: what may be a text, a list of turns, of choices, of calls."""

from collections.abc import Callable
from typing import Any

from stages.reading.message_parsing import ROLES, is_exchange
from stages.reading.text_values import json_value
from stages.reading.unread import empty

Shape = Callable[[Any], bool]
MOST = 0.98  # share of records, or of answers, that must have a shape


def text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def scalar(value: Any) -> bool:
    """A text, or a number that stands for one."""
    return text(value) or (isinstance(value, int | float) and not empty(value))


def label(value: Any) -> bool:
    """One label, or a list of them."""
    return scalar(value) or (isinstance(value, list) and all(map(scalar, value)))


def turns(value: Any) -> bool:
    """Messages, such as {"role", "content"} or {"from", "value"}, or exchanges."""
    return _objects(value, lambda turn: turn.get("from", turn.get("role")) in (*ROLES,)) or (
        isinstance(value, list) and bool(value) and all(map(is_exchange, value))
    )


def texts(value: Any) -> bool:
    """A text, or a list of texts."""
    return text(value) or (isinstance(value, list) and bool(value) and all(map(text, value)))


def asked(value: Any) -> bool:
    return text(value) or turns(value)


def choices(value: Any) -> bool:
    """Texts, {"text": […], "label": […]}, or a list of {"text", "label"}."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            value = json_value(value)
        except (ValueError, RecursionError):
            return False
    texts = value.get("text") if isinstance(value, dict) else value
    if isinstance(texts, list) and all(isinstance(item, dict) for item in texts):
        texts = [item.get("text") for item in texts]
    return isinstance(texts, list) and len(texts) > 1 and all(map(text, texts))


def calls(value: Any) -> bool:
    return _objects(value, lambda call: isinstance(call.get("name"), str) and "arguments" in call)


def tools(value: Any) -> bool:
    return _objects(value, lambda tool: isinstance(tool.get("function", tool), dict | str) and (
        "function" in tool or isinstance(tool.get("name"), str)))  # fmt: skip


def listed(value: Any) -> bool:
    """The JSON of a list."""
    try:
        return isinstance(value, str) and value.lstrip()[:1] == "[" and isinstance(json_value(value), list)
    except (ValueError, RecursionError):
        return False


def _objects(value: Any, is_one: Shape) -> bool:
    """A list of such objects, or the JSON of one."""
    if isinstance(value, str) and value.lstrip()[:1] == "[":
        try:
            value = json_value(value)
        except (ValueError, RecursionError):
            return False
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) and is_one(item) for item in value)
