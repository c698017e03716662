"""JSON objects that have one name twice, with other values: parsers keep the last one, in silence."""

import json
import re
from typing import Any

AFTER_BACKSLASH = '\\\\":'  # a string that ends in a backslash
SPACED = re.compile(r'"[ \t\n\r]+:')  # a name with white space after it, or a text that looks like one
ENDS_OF_SPACE = (" :", "\t:", "\n:", "\r:")  # without one of them nothing is SPACED; found faster


class RepeatedNameError(ValueError):
    """A JSON text has a name twice in one object."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the name {name!r} is twice in one object, with other values: want each name once")


def loads(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        RepeatedNameError: an object has a name twice.
        ValueError: the text is no JSON.
    """
    return json.loads(text, object_pairs_hook=_object)


def check(text: str, value: Any) -> None:
    """Raises RepeatedNameError if the JSON text, whose value is known, has a name twice in one object.

    Most texts have as many `":` outside strings as their value has names, and are not parsed again.
    """
    names = text.count('":') - text.count('\\":')
    if names != _count_names(value) or AFTER_BACKSLASH in text or _is_spaced(text):
        loads(text)


def _is_spaced(text: str) -> bool:
    return any(end in text for end in ENDS_OF_SPACE) and SPACED.search(text) is not None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        values: dict[str, Any] = {}
        for name, value in pairs:
            if repr(values.setdefault(name, value)) != repr(value):
                raise RepeatedNameError(name)
    return result


def _count_names(value: Any) -> int:
    count, inner = 0, [value]
    while inner:
        value = inner.pop()
        if type(value) is dict:
            count += len(value)
            value = value.values()
        inner += [item for item in value if type(item) is dict or type(item) is list]
    return count
