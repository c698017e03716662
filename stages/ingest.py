"""Reads raw files of any known format into canonical rows, and keeps where every row came from.

Inputs:  raw        folder of .json, .jsonl and .txt files (UTF-8), or one such file
Outputs: ingested   JSONL, one canonical row a content, sorted by id
         sources    Parquet {id, file, line}: every place that each row stands at, copies included
         rejected   JSONL {file, line, reason, detail, found}: what could not be used, whole
         report     JSON {in, out, dropped, formats: {file: {format: records}}}
Params:  ingest
"""

import importlib
from pathlib import Path
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
    found: Any


def to_row(record: records.Record, readers: dict[str, Any]) -> tuple[rows.Row | tuple[str, str], str]:
    """The record's row, or (reason, detail) why there is none; and the name of its format."""
    name = next((n for n, reader in readers.items() if reader.matches(record.value)), "")
    if not name:
        return ("unknown_format", f"fields {sorted(record.value)}: no format has these"), ""
    try:
        content = readers[name].read(record.value)
        checked = msgspec.convert(msgspec.to_builtins(content), rows.Content)
    except (KeyError, TypeError, AttributeError, msgspec.ValidationError) as error:
        return ("wrong_shape", f"{name}: {type(error).__name__}: {error}"), name
    problem = shape_problem(checked)
    return (problem or rows.row(checked, record.split)), name


def shape_problem(content: rows.Content) -> tuple[str, str] | None:
    """(reason, detail) where a content cannot teach anything; None where it can."""
    if isinstance(content, rows.Text):
        return None if content.text.strip() else ("empty_text", "text is empty")
    answers = [content.messages[-1:]] if isinstance(content, rows.Chat) else [content.chosen, content.rejected]
    asked = content.messages[:-1] if isinstance(content, rows.Chat) else content.prompt
    if not any(m.role == "user" and m.content.strip() for m in asked):
        return "empty_question", "no user turn with text before the answer"
    for turns in answers:
        if len(turns) != 1 or turns[0].role != "assistant":
            return "no_answer", "the last turn is not the assistant's"
        if not turns[0].content.strip():
            return "empty_answer", "the answer is empty"
    return None


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
                bad.append(Rejected(name, record.line, *row, record.value))
                continue
            places.append((row.id, name, record.line))
            earlier = found.get(row.id)
            repeated += earlier is not None
            if earlier is None or rows.SPLITS.index(row.split or "train") > rows.SPLITS.index(earlier.split or "train"):
                found[row.id] = row  # a row that its source gives twice belongs to test before val before train
    if not found:
        raise UserError(f"{raw}: {total} records, none usable: want at least one{_first(bad)}")
    if len(bad) > params.max_rejected_fraction * total:
        raise UserError(
            f"{raw}: {len(bad)} of {total} records unusable: want at most "
            f"{params.max_rejected_fraction:.2%}; mend them or raise ingest.max_rejected_fraction"
            f"{_first(bad)}"
        )
    counts = rows.account(total, len(found), [b.reason for b in bad] + ["repeated"] * repeated)
    rows.write(ingested, found.values())
    places.sort()
    rows.write_table(sources, dict(zip(("id", "file", "line"), map(list, zip(*places, strict=True)), strict=True)))
    rejected.write_bytes(b"".join(msgspec.json.encode(b) + b"\n" for b in bad))
    rows.write_json(report, {**counts, "formats": seen})
    return rows.summary(counts)


def _first(bad: list[Rejected]) -> str:
    return "".join(f"\n  {b.file}:{b.line}: {b.reason}: {b.detail}" for b in bad[:SHOWN])


if __name__ == "__main__":
    harness.run(main)
