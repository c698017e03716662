"""Row counts of a data stage: rows in, rows out, rows dropped by reason."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec


class Drop(msgspec.Struct, frozen=True):
    """A dropped row: its id, the reason (one word that reports count by), and the detail of this row."""

    id: str
    reason: str
    detail: str


def account(rows_in: int, rows_out: int, reasons: Iterable[str]) -> dict[str, Any]:
    """Counts as {in, out, dropped: {reason: n}}, reasons sorted.

    Args:
        reasons: one for each dropped row.

    Raises:
        AssertionError: rows in are not rows out plus dropped rows.
    """
    dropped = Counter(reasons)
    if rows_in != rows_out + dropped.total():
        raise AssertionError(f"rows lost: {rows_in} in, {rows_out} out, {dropped.total()} dropped: {dict(dropped)}")
    return {"in": rows_in, "out": rows_out, "dropped": dict(sorted(dropped.items()))}


def write_json(path: Path, value: Any) -> None:
    """Writes a report as JSON: keys in the given order, indented by two spaces, with a final newline."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")


def summary(counts: dict[str, Any]) -> str:
    """The counts of `account` in one line: `4400 rows in, 4200 out, 200 dropped (refusal 25, …)`."""
    dropped = counts["dropped"]
    reasons = f" ({', '.join(f'{reason} {n}' for reason, n in dropped.items())})" if dropped else ""
    return f"{counts['in']} rows in, {counts['out']} out, {sum(dropped.values())} dropped{reasons}"
