"""The value of a field that several names stand for."""

from collections.abc import Sequence
from typing import Any

from stages.reading.unread import empty


def one_of(record: dict[str, Any], names: Sequence[str]) -> Any:
    """The value of the one field of several that says something.

    Raises:
        ValueError: two say something else.
    """
    value = None
    for name in names:
        other = record.get(name)
        if empty(value):
            value = value if other is None else other
        elif not empty(other) and other != value:
            raise ValueError(f"{' and '.join(n for n in names if not empty(record.get(n)))} differ: want one of them")
    return value
