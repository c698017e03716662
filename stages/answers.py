"""An answer read as JSON, in one way for every metric."""

import json
from typing import Any


def parse(answer: str) -> Any:
    """The JSON value of an answer; None where it has none (a literal `null` teaches nothing either)."""
    try:
        return json.loads(answer)
    except ValueError:
        return None


def fields(answer: str) -> dict[str, Any]:
    """The answer's JSON object, empty where it is none."""
    value = parse(answer)
    return value if isinstance(value, dict) else {}
