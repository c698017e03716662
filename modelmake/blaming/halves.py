"""Changes of a file of lines, and the file with some of them put back."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

SUFFIXES = frozenset({".jsonl", ".ndjson", ".csv", ".tsv", ".txt"})  # of files whose rows are lines


@dataclass(frozen=True)
class Edit:
    """One changed line: a line of the old file, of the new, or one in the place of the other."""

    at: int  # index of the line in the new file; of a removed line, of the line after it
    old: bytes  # b"" for an added line
    added: bool  # the new file has a line here


def edits(old: bytes, new: bytes) -> list[Edit]:
    """The changes between two contents, in the order of the new one."""
    before, now = _lines(old), _lines(new)
    start = next((n for n, (a, b) in enumerate(zip(before, now, strict=False)) if a != b), min(len(before), len(now)))
    end = 0  # equal lines at the end: comparing only what is between takes a fraction of the time
    while end < min(len(before), len(now)) - start and before[-1 - end] == now[-1 - end]:
        end += 1
    a, b = before[start : len(before) - end], now[start : len(now) - end]
    result = []
    for tag, i, j, k, m in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        for n in range(max(j - i, m - k)) if tag != "equal" else ():
            old_line = a[i + n] if i + n < j else b""
            result.append(Edit(start + min(k + n, m), old_line, k + n < m))
    return result


def put_back(new: bytes, some: Sequence[Edit]) -> bytes:
    """The new content without some of its changes."""
    lines = _lines(new)
    for edit in reversed(some):
        lines[edit.at : edit.at + edit.added] = [edit.old] if edit.old else []
    ended = [line if line.endswith(b"\n") else line + b"\n" for line in lines[:-1]]  # it may have been the last one
    return b"".join([*ended, *lines[-1:]])


def halves(some: Sequence[Edit]) -> list[Sequence[Edit]]:
    """Two halves, the first one the longer; one that cannot be halved alone."""
    middle = (len(some) + 1) // 2
    return [half for half in (some[:middle], some[middle:]) if half]


def words(some: Sequence[Edit]) -> str:
    """`lines 3 to 17, 12 of them changed`, counted from 1 in the new file."""
    first, last = some[0].at + 1, some[-1].at + 1
    lines = f"lines {first} to {last}" if first != last else f"line {first}"
    return f"{lines}, {len(some)} changed"


def _lines(content: bytes) -> list[bytes]:
    return BytesIO(content).readlines()
