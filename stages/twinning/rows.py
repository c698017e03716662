"""The rows that the twin is driven with: the first ones, and the first of each kind that breaks something elsewhere."""

import unicodedata
from typing import Any

import msgspec

from stages.rows import parts
from stages.rows.row import Row

LONGEST = 4000  # characters; longer rows would cost minutes


def chosen(rows: list[Row], n: int) -> list[Row]:
    """At most `n` rows: the first of each shape, the first with a text that is not NFC, the longest; then the first.

    A shape is which turns a row has, and what they have beside words. Of rows that are all too long the shortest are
    taken.
    """
    sizes = {row.id: _characters(row) for row in rows}
    short = [row for row in rows if sizes[row.id] <= LONGEST] or sorted(rows, key=lambda row: sizes[row.id])[:n]
    first: dict[Any, Row] = {}
    for row in short:
        first.setdefault(_shape(row), row)
    other = [row for row in short if not is_nfc(row)][:1]
    longest = sorted(short, key=lambda row: -sizes[row.id])[:1]
    picked = [*other, *longest, *first.values(), *short]
    return sorted(list({row.id: row for row in picked}.values())[:n], key=lambda row: row.id)


def is_nfc(row: Row) -> bool:
    """Whether Unicode's canonical composition would change no text of the row."""
    return unicodedata.is_normalized("NFC", msgspec.json.encode(row.content).decode())


def _characters(row: Row) -> int:
    split = parts.split(row.content)
    return len(split.text) + sum(len(turn.content) + len(turn.reasoning_content) for turn in split.turns)


def _shape(row: Row) -> Any:
    split = parts.split(row.content)
    turns = [(turn.role, bool(turn.tool_calls), bool(turn.reasoning_content), turn.train) for turn in split.turns]
    return row.kind, getattr(row.content, "good", None), bool(split.tools), tuple(turns)
