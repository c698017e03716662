"""The account of rows that every data stage gives: rows in, rows out, rows dropped by reason."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec


class Drop(msgspec.Struct, frozen=True):
    """A row that went no further: which, why, and what was seen."""

    id: str
    reason: str
    detail: str


def account(rows_in: int, rows_out: int, reasons: Iterable[str]) -> dict[str, Any]:
    """{in, out, dropped: {reason: n}}, asserting that no row went without a reason."""
    dropped = Counter(reasons)
    if rows_in != rows_out + dropped.total():
        raise AssertionError(f"rows lost: {rows_in} in, {rows_out} out, {dropped.total()} dropped: {dict(dropped)}")
    return {"in": rows_in, "out": rows_out, "dropped": dict(sorted(dropped.items()))}


def write_json(path: Path, value: Any) -> None:
    """Writes a report: keys in the given order, two spaces, a final newline."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")


def summary(counts: dict[str, Any]) -> str:
    """One line of counts: `4400 rows in, 4200 out; dropped 200 (refusal 25, …)`."""
    dropped = counts["dropped"]
    reasons = f" ({', '.join(f'{reason} {n}' for reason, n in dropped.items())})" if dropped else ""
    return f"{counts['in']} rows in, {counts['out']} out, {sum(dropped.values())} dropped{reasons}"
