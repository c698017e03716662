"""What readers of containers yield for each record, and the error for a file that cannot be read at all."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

MAX_RECORD_SIZE = 64 << 20  # bytes or characters of one record; bounds memory to a few times this
MAX_BROKEN_CHARS = 1 << 20  # characters of a broken record that are kept
INDEX_NAME = re.compile(r"__index_level_\d+__|Unnamed: \d+(\.\d+)*|")  # of the column that pandas adds to tables
INDEX_NOTE = "the numbers in its column {!r} are left out, as the index of pandas"

Tell = Callable[[str], None]  # takes what a reader decided about a file as a whole


class Record(NamedTuple):
    """One record of a file."""

    line: int  # that it begins on, from 1; the row of a table without lines
    value: dict[str, Any]
    text: str  # as the file spells it; "" in binary containers
    split: str = ""  # where the file or its name gives one


class Broken(NamedTuple):
    """A part of a file that should be a record and cannot be read as one."""

    line: int  # that it begins on, from 1
    detail: str
    text: str  # as the file spells it
    reason: str = "broken_json"


class Unreadable(Exception):
    """A file that cannot be read at all. The message continues the file's path: `line: found: wanted; what to do`."""


def too_long(line: int, part: str, advice: str) -> Unreadable:
    """The error for a record of more than MAX_RECORD_SIZE.

    Args:
        part: what is too long, such as "the line".
    """
    return Unreadable(f"{line}: {part} is longer than {MAX_RECORD_SIZE >> 20} MiB: {advice}")
