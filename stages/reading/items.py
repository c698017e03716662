"""Records that hold several rows in a list: `*` in a path of `fields` makes a record of each item (`questions.*.q`)."""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

EACH = "*"  # in a path, for every item of a list


def lists(paths: Iterable[str]) -> list[str]:
    """The paths of the lists whose items become records, outer ones first.

    Raises:
        ValueError: two of them lie beside each other: which items belong together is not known.
    """
    found = set()
    for path in paths:
        parts = path.split(".")
        found |= {".".join(parts[:i]) for i, part in enumerate(parts) if part == EACH}
    ordered = sorted(found, key=lambda path: (path.count("."), path))
    for outer, inner in itertools.pairwise(ordered):
        if not inner.startswith(f"{outer}.{EACH}"):
            raise ValueError(f"{outer}.{EACH} and {inner}.{EACH}: want one list, or one in the other")
    return ordered


def of_first(path: str) -> str:
    """A path in the records that `each` makes: their lists have one item."""
    return ".".join("0" if part == EACH else part for part in path.split("."))


def is_shared(path: str, lists: list[str]) -> bool:
    """True for a path outside the innermost list: the items of one have its value in common."""
    return bool(lists) and not f"{path}.".startswith(f"{lists[-1]}.{EACH}.")


def each(record: dict[str, Any], lists: list[str]) -> list[dict[str, Any]]:
    """Copies of a record with one item each of its lists; the record itself, if it has none or they are empty."""
    records = [record]
    for path in lists:
        parts = of_first(path).split(".")
        records = [alone for one in records for alone in _alone(one, parts)]
    return records


def _alone(value: Any, path: list[str]) -> Iterator[Any]:
    """Copies of a value with one item each of the list at a path."""
    if not path and isinstance(value, list) and value:
        yield from ([item] for item in value)
    elif path and isinstance(value, dict) and path[0] in value:
        yield from ({**value, path[0]: inner} for inner in _alone(value[path[0]], path[1:]))
    elif path and isinstance(value, list) and value:
        yield from ([inner] for inner in _alone(value[0], path[1:]))
    else:
        yield value
