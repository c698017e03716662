"""What containers give: a record, or what is broken where one should be, or a file that is of no use at all."""

from typing import Any, NamedTuple

LONGEST = 64 << 20  # bytes or characters of one record; memory is bounded by a few times this
SHOWN = 1 << 20  # characters of what is broken that are kept


class Record(NamedTuple):
    line: int  # 1-based
    value: dict[str, Any]
    text: str  # as the file has it; "" where it has no text
    split: str = ""  # where the file, or its name, says so


class Broken(NamedTuple):
    line: int
    why: str
    found: str
    reason: str = "broken_json"


class Unreadable(Exception):
    """What makes a whole file useless: `line: found: wanted; what to do`."""


def too_long(line: int, what: str, advice: str) -> Unreadable:
    """A record that no memory should have to hold."""
    return Unreadable(f"{line}: {what} is longer than {LONGEST >> 20} MiB: {advice}")
