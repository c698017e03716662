"""Parses answers as JSON, in the same way for every metric."""

import json
from typing import Any


def parse(answer: str) -> Any:
    """The JSON value of an answer; None if it is not valid JSON, or is a literal `null`."""
    try:
        return json.loads(answer, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _refuse(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity, which Python accepts, are not JSON


def equal(a: Any, b: Any) -> bool:
    """True if two JSON values are equal. 1.0 equals 1, as in JSON Schema; unlike in Python, `true` does not."""
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
        elif a != b:
            return False
    return True


def fields(answer: str) -> dict[str, Any]:
    """The fields of an answer that is a JSON object; {} for any other answer."""
    value = parse(answer)
    return value if isinstance(value, dict) else {}
