"""Questions with choices: choices that are a field each, and whether the right one is counted from 0 or from 1."""

import re
from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from stages.proposing import shapes
from stages.reading.field_mapping import map_fields
from stages.reading.formats import multiple_choice
from stages.reading.rejection import RejectedRecord

COLUMN = re.compile(r"((?:op|opt|option|choice|ending|sol|answer|ans)?[_ ]?)([a-j]|\d)", re.IGNORECASE)  # `A`, `opa`
WRONG = re.compile(r"distractor[_ ]?(?:[a-j]|\d)", re.IGNORECASE)  # those beside the right answer


def is_column(name: str) -> bool:
    """True for the name of a field of one choice."""
    return bool(COLUMN.fullmatch(name) or WRONG.fullmatch(name))


def columns(fields: Iterable[tuple[str, str, list[Any]]], least: float) -> dict[str, str]:
    """{letter: path} of choices that are a field each, in order; {} if there are none, or several sets of them.

    Args:
        fields: (path, name, values) of each.
        least: number of records that have the first two.
    """
    sets: dict[str, dict[str, tuple[str, list[Any]]]] = defaultdict(dict)
    for path, name, values in fields:
        if (found := COLUMN.fullmatch(name)) and any(map(shapes.text, values)):
            sets[path[: -len(found[2])].lower()][found[2].lower()] = path, values
    told = [found for found in sets.values() if _follow(sorted(found))
            and all(sum(map(shapes.text, found[key][1])) >= least for key in sorted(found)[:2])]  # fmt: skip
    if len(told) != 1:
        return {}
    return {letter: told[0][key][0] for letter, key in zip(multiple_choice.LETTERS, sorted(told[0]), strict=False)}


def counted_from(records: list[dict[str, Any]], fields: dict[str, str]) -> int | None:
    """0 or 1: where a mapping's answers are counted from; 0 too if they are no numbers; None: nothing tells.

    An answer 0 tells, and one that is the number of choices; else the numbers in the names of their fields.
    """
    found = []
    for record in records:
        try:
            found.append(multiple_choice.number(map_fields(record, fields, "multiple_choice")))
        except RejectedRecord:
            continue
    numbers = list(filter(None, found))
    if not numbers or any(number == 0 for number, _ in numbers):
        return 0
    if any(number == count for number, count in numbers):
        return 1
    first = fields.get("A", "")[-1:]
    return int(first) if first in ("0", "1") else None


def _follow(keys: list[str]) -> bool:
    """True for a, b, …, and for 0, 1, … or 1, 2, …"""
    in_order = all(ord(after) - ord(key) == 1 for key, after in pairwise(keys))
    return len(keys) > 1 and keys[0] in "a01" and in_order
