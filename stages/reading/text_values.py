"""Values that a record holds as text: JSON, or what Python prints of lists and dictionaries."""

import ast
import re
from collections.abc import Container
from typing import Any

from stages.reading import python_literals, repeated_names
from stages.reading.repeated_names import RepeatedNameError

MESSAGES = re.compile(r"""\s*\[\s*\{\s*["'](role|from)["']\s*:""")


def json_value(text: str) -> Any:
    """The value that a text holds as JSON or as a Python literal.

    Raises:
        RepeatedNameError: an object has a name twice, with other values.
        ValueError: it is neither.
    """
    try:
        return repeated_names.loads(text)
    except RepeatedNameError:
        raise
    except ValueError as error:
        try:
            literal = python_literals.parse(text.strip(), "eval")
            value = python_literals.json_value(literal)
        except python_literals.UNREADABLE:
            raise error from None
        for node in ast.walk(literal):
            if isinstance(node, ast.Dict):
                _check_names(node)
        return value


def _check_names(node: ast.Dict) -> None:
    """Raises RepeatedNameError; of names such as 1 and "1" too, which are one in JSON."""
    values: dict[str, str] = {}
    for name, value in zip(node.keys, node.values, strict=True):
        text = str(ast.literal_eval(name))
        if values.setdefault(text, ast.dump(value)) != ast.dump(value):
            raise RepeatedNameError(text)


def json_object(value: Any, name: str) -> dict[str, Any]:
    """An object, or the object that a text holds."""
    if isinstance(value, str):
        value = json_value(value)
    if not isinstance(value, dict):
        raise TypeError(f"{name}: {type_name(value)}: want a JSON object")
    return value


def messages_in_text(text: str, roles: Container[str]) -> Any:
    """The list of messages that a text wholly is, else the text. Other lists are texts, such as answers in JSON.

    Raises:
        ValueError: the text begins like a list of messages and cannot be read as one.
    """
    if not text.lstrip().startswith("["):
        return text
    try:
        value = json_value(text)
    except (ValueError, RecursionError) as error:
        if MESSAGES.match(text) and isinstance(error, RepeatedNameError):
            raise
        if MESSAGES.match(text):
            raise ValueError(
                f"{text[:30]!r} begins like a list of messages and is no JSON: mend it; JSON Lines can hold lists"
            ) from None
        return text
    return value if isinstance(value, list) and value and all(_is_message(item, roles) for item in value) else text


def type_name(value: Any) -> str:
    """The kind of a JSON value, for messages."""
    return {dict: "an object", list: "a list", str: "a text", type(None): "null"}.get(type(value), repr(value))


def _is_message(value: Any, roles: Container[str]) -> bool:
    if not isinstance(value, dict):
        return False
    role = value.get("role", value.get("from"))
    return isinstance(role, str) and role in roles and bool({"content", "value", "tool_calls"} & value.keys())
