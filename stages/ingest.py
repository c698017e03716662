"""Reads raw files of any known format into canonical rows, and keeps where every row came from.

Inputs:  raw        folder of .json, .jsonl, .csv and .txt files (UTF-8), or one such file
Outputs: ingested   JSONL, one canonical row a content, sorted by id
         sources    Parquet {id, file, line}: every place that each row stands at, copies included
         rejected   JSONL {file, line, reason, detail, found}: what could not be used, whole, as the file has it
         report     JSON {in, out, dropped, formats: {file: {format: records}}}
Params:  ingest

A record is one row, a document several (`ingest.documents`): `in` counts these rows, and records without one.
"""

import msgspec

from modelmake import harness
from modelmake.errors import UserError
from modelmake.signature import In, Out
from stages import documents, formats, records, rows
from stages.params.data import Ingest

SHOWN = 10  # rejected records named in an error


class Rejected(msgspec.Struct, frozen=True):
    file: str
    line: int
    reason: str
    detail: str
    found: str


def to_rows(record: records.Record, params: Ingest) -> tuple[list[rows.Row] | tuple[str, str], str]:
    """The record's rows, or (reason, detail) why there are none; and the name of its format."""
    name = next((n for n, reader in formats.READERS.items() if reader.matches(record.value)), "")
    if not name:
        return ("unknown_format", f"fields {sorted(record.value)}: no format has these"), ""
    try:
        content = formats.READERS[name].read(record.value)
        checked = msgspec.convert(msgspec.to_builtins(content), type(content))
        contents, group = [checked], ""
        if isinstance(checked, documents.Document):
            if params.documents is None:
                return ("document", "ingest.documents is null: say there how documents become rows"), name
            contents, group = documents.contents(checked, params.documents), checked.path
        # fails on half a surrogate pair: JSON can spell it, UTF-8 cannot
        found = [rows.row(content, record.split, group) for content in contents]
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError, msgspec.ValidationError) as error:
        return ("wrong_shape", f"{name}: {type(error).__name__}: {error}"), name
    return next(filter(None, map(rows.problem, contents)), found), name


def main(raw: In, ingested: Out, sources: Out, rejected: Out, report: Out, params: Ingest) -> str:
    found: dict[str, rows.Row] = {}
    places: list[tuple[str, str, int]] = []
    bad: list[Rejected] = []
    seen: dict[str, dict[str, int]] = {}
    repeated = total = many = 0  # records; rows of theirs beyond one each
    for file in records.files(raw):
        name = str(file.relative_to(raw)) if raw.is_dir() else file.name
        by_format = seen.setdefault(name, {})
        for record in records.read(file):
            total += 1
            if isinstance(record, records.Broken):
                bad.append(Rejected(name, record.line, record.reason, record.why, record.found))
                continue
            result, form = to_rows(record, params)
            by_format[form or "unknown"] = by_format.get(form or "unknown", 0) + 1
            if isinstance(result, tuple):
                bad.append(Rejected(name, record.line, *result, record.text))
                continue
            many += len(result) - 1
            for row in result:
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
    counts = rows.account(total + many, len(found), [b.reason for b in bad] + ["repeated"] * repeated)
    rows.write(ingested, found.values())
    rows.write_table(sources, {"id": str, "file": str, "line": int}, sorted(places))
    rejected.write_bytes(b"".join(msgspec.json.encode(b) + b"\n" for b in bad))
    rows.write_json(report, {**counts, "formats": seen})
    return rows.summary(counts)


def _first(bad: list[Rejected]) -> str:
    return "".join(f"\n  {b.file}:{b.line}: {b.reason}: {b.detail}" for b in bad[:SHOWN])


if __name__ == "__main__":
    harness.run(main)
