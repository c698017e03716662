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
    """True if two JSON values are equal. Unlike in Python, `true` and 1.0 do not equal 1."""
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)


def fields(answer: str) -> dict[str, Any]:
    """The fields of an answer that is a JSON object; {} for any other answer."""
    value = parse(answer)
    return value if isinstance(value, dict) else {}
