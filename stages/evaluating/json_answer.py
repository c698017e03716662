"""An answer read as JSON, in one way for every metric."""

import json
from typing import Any


def parse(answer: str) -> Any:
    """The JSON value of an answer; None where it has none (a literal `null` teaches nothing either)."""
    try:
        return json.loads(answer, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def same(a: Any, b: Any) -> bool:
    """Whether two JSON values are equal; to Python, true is 1."""
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)


def _refuse(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity are no JSON


def fields(answer: str) -> dict[str, Any]:
    """The answer's JSON object, empty where it is none."""
    value = parse(answer)
    return value if isinstance(value, dict) else {}
