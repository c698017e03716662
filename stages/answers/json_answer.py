"""Parses answers as JSON, in the same way for every metric."""

import json
from collections.abc import Callable
from typing import Any


def parse(answer: str) -> Any:
    """The JSON value of an answer; None if it is not valid JSON, or is a literal `null`."""
    try:
        return STRICT.decode(answer)
    except (ValueError, RecursionError):
        return None


def parse_all(text: str) -> list[Any] | None:
    """The JSON values that a text consists of, lists taken apart; None if there is anything else but space and `;`."""
    values: list[Any] = []
    try:
        while text := text.lstrip(" \t\r\n;"):
            value, end = STRICT.raw_decode(text)
            values += value if isinstance(value, list) else [value]
            text = text[end:]
    except (ValueError, RecursionError):
        return None
    return values


def common(a: list[Any], b: list[Any], standard: Callable[[str], str] = str) -> int:
    """How many values of one list are in the other too, each taken once; their order does not count."""
    left = list(b)
    for value in a:
        if equals := [i for i, other in enumerate(left) if equal(value, other, standard)]:
            del left[equals[0]]
    return len(b) - len(left)


def _refuse(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity, which Python accepts, are not JSON


def equal(a: Any, b: Any, standard: Callable[[str], str] = str) -> bool:
    """True if two JSON values are equal. 1.0 equals 1, as in JSON Schema; unlike in Python, `true` does not.

    Strings are compared as `standard` returns them.
    """
    pairs = [(a, b)]  # no recursion: values may be nested as deep as the parser goes
    while pairs:
        a, b = pairs.pop()
        if isinstance(a, bool) or isinstance(b, bool):
            if a is not b:
                return False
        elif isinstance(a, dict) and isinstance(b, dict):
            if a.keys() != b.keys():
                return False
            pairs += [(a[name], b[name]) for name in a]
        elif isinstance(a, list) and isinstance(b, list):
            if len(a) != len(b):
                return False
            pairs += zip(a, b, strict=True)
        elif isinstance(a, str) and isinstance(b, str):
            if standard(a) != standard(b):
                return False
        elif a != b:
            return False
    return True


def fields(answer: str) -> dict[str, Any]:
    """The fields of an answer that is a JSON object; {} for any other answer."""
    value = parse(answer)
    return value if isinstance(value, dict) else {}


STRICT = json.JSONDecoder(parse_constant=_refuse)
