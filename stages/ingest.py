"""Reads raw files of any known format into canonical rows, and keeps where every row came from.

Inputs:  raw        folder of .json, .jsonl and .txt files (UTF-8), or one such file
Outputs: ingested   JSONL, one canonical row a content, sorted by id
         sources    Parquet {id, file, line}: every place that each row stands at, copies included
         rejected   JSONL {file, line, reason, detail, found}: what could not be used, whole, as the file has it
         report     JSON {in, out, dropped, formats: {file: {format: records}}}
Params:  ingest
"""

import importlib
from typing import Any

import msgspec

from modelmake import harness
from modelmake.errors import UserError
from modelmake.signature import In, Out
from stages import formats, records, rows
from stages.params.data import Ingest

SHOWN = 10  # rejected records named in an error


class Rejected(msgspec.Struct, frozen=True):
    file: str
    line: int
    reason: str
    detail: str
    found: str


def to_row(record: records.Record, readers: dict[str, Any]) -> tuple[rows.Row | tuple[str, str], str]:
    """The record's row, or (reason, detail) why there is none; and the name of its format."""
    name = next((n for n, reader in readers.items() if reader.matches(record.value)), "")
    if not name:
        return ("unknown_format", f"fields {sorted(record.value)}: no format has these"), ""
    try:
        content = readers[name].read(record.value)
        checked = msgspec.convert(msgspec.to_builtins(content), rows.Content)
        row = rows.row(checked, record.split)  # fails on half a surrogate pair: JSON can spell it, UTF-8 cannot
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError, msgspec.ValidationError) as error:
        return ("wrong_shape", f"{name}: {type(error).__name__}: {error}"), name
    return (rows.problem(checked) or row), name


def main(raw: In, ingested: Out, sources: Out, rejected: Out, report: Out, params: Ingest) -> str:
    readers = {name: importlib.import_module(f"stages.formats.{name}") for name in formats.NAMES}
    found: dict[str, rows.Row] = {}
    places: list[tuple[str, str, int]] = []
    bad: list[Rejected] = []
    seen: dict[str, dict[str, int]] = {}
    repeated = total = 0
    for file in records.files(raw):
        name = str(file.relative_to(raw)) if raw.is_dir() else file.name
        by_format = seen.setdefault(name, {})
        for record in records.read(file):
            total += 1
            if isinstance(record, records.Broken):
                bad.append(Rejected(name, record.line, "broken_json", record.why, record.found))
                continue
            row, form = to_row(record, readers)
            by_format[form or "unknown"] = by_format.get(form or "unknown", 0) + 1
            if not isinstance(row, rows.Row):
                bad.append(Rejected(name, record.line, *row, record.text))
                continue
            places.append((row.id, name, record.line))
            repeated += row.id in found
            found[row.id] = rows.stronger(row, found.get(row.id, row))
    if not found:
        raise UserError(f"{raw}: {total} records, none usable: want at least one{_first(bad)}")
    if len(bad) / total > params.max_rejected_fraction:
        raise UserError(
            f"{raw}: {len(bad)} of {total} records unusable: want at most "
            f"{params.max_rejected_fraction:.2%}; mend them or raise ingest.max_rejected_fraction"
            f"{_first(bad)}"
        )
    counts = rows.account(total, len(found), [b.reason for b in bad] + ["repeated"] * repeated)
    rows.write(ingested, found.values())
    rows.write_table(sources, {"id": str, "file": str, "line": int}, sorted(places))
    rejected.write_bytes(b"".join(msgspec.json.encode(b) + b"\n" for b in bad))
    rows.write_json(report, {**counts, "formats": seen})
    return rows.summary(counts)


def _first(bad: list[Rejected]) -> str:
    return "".join(f"\n  {b.file}:{b.line}: {b.reason}: {b.detail}" for b in bad[:SHOWN])


if __name__ == "__main__":
    harness.run(main)
