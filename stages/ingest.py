"""Reads raw files of any known format into canonical rows, and records the place that every row was read from.

Inputs:  raw        folder of files in any container of stages/reading/containers (UTF-8), or one such file
Outputs: ingested   JSONL, one canonical row a content, sorted by id
         sources    Parquet {id, file, line}: every place of each row, copies included
         rejected   JSONL {file, line, reason, detail, found}: unusable records, `found` as the file spells them
         report     JSON {in, out, dropped, formats: {file: {format: records}},
                    unread: {file: {field: {records, example}}}: fields that are in no row and may have a meaning,
                    left_out: {file: why}, notes: {file: [what its reader decided]}}
Params:  ingest

Stops at unread fields that change what a row means, unless they are mapped or ignored by name.
A record becomes one row, a document several (`ingest.documents`); `*` in mapped fields makes a record of each item of a
list. `in` counts the rows, and the records without one.
Memory holds one record and a bounded number of rows that wait to be sorted.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from modelmake import harness
from modelmake.errors import UserError
from modelmake.signature import In, Out
from stages.params.data import Ingest
from stages.reading import files, ratings
from stages.reading.containers.record import Broken
from stages.reading.field_mapping import Metadata, rule_problems
from stages.reading.record_reader import NO_FORMAT, RecordReader
from stages.reading.rejection import RejectedRecord
from stages.rows import accounting, parquet_table
from stages.rows.row import Judged, Row, content_id, merge
from stages.rows.spill import Spill

MAX_NAMED = 10  # rejected records, or files of mixed formats, that a message names
encode = msgspec.json.encode


class Rejected(msgspec.Struct, frozen=True):
    """A line of the output `rejected`."""

    file: str
    line: int
    reason: str
    detail: str
    found: str


class SpilledRow(msgspec.Struct, frozen=True, array_like=True):
    """A content with the place that it was read from."""

    file: int  # index in Ingestion.file_names
    line: int
    metadata: Metadata
    content: msgspec.Raw  # JSON


class SpilledAnswer(msgspec.Struct, frozen=True, array_like=True):
    """A judged answer with the place that it was read from."""

    file: int  # index in Ingestion.file_names
    line: int
    metadata: Metadata
    answer: Judged
    text: str  # of the record, as the file spells it


class Ingestion:
    """Everything read so far: rows and judged answers on disk, counts in memory."""

    def __init__(self, folder: Path, rejected: BinaryIO, params: Ingest) -> None:
        self.rows, self._answers = Spill(folder), Spill(folder)
        self._rejected, self._params = rejected, params
        self.file_names: list[str] = []
        self.formats: dict[str, dict[str, int]] = {}  # file -> format -> records
        self.unread: dict[str, dict[str, dict[str, Any]]] = {}  # file -> field -> its records, and an example
        self.notes: dict[str, list[str]] = {}  # file -> what its reader decided
        self._stops: dict[str, str] = {}  # unread field without which rows would mean something else -> what it may be
        self.dropped: Counter[str] = Counter()
        self.first_rejected: list[Rejected] = []
        self.records = 0
        self.extra_rows = 0  # of documents, beyond one a record
        self.row_count = 0  # copies included

    def read(self, file: files.RawFile) -> None:
        """Reads all records of a file."""
        number = len(self.file_names)
        self.file_names.append(file.name)
        by_format = self.formats.setdefault(file.name, {})
        reader = RecordReader(file.rule, self._params.documents)
        notes = files.split_note(file.name) if self._params.splits == "given" else []
        for record in reader.each_item(files.read(file.path, file.name, notes.append)):
            self.records += 1
            if isinstance(record, Broken):
                self.reject(number, record.line, record.reason, record.detail, record.text)
                continue
            try:
                contents, metadata = reader.read(record.value)
                split = (metadata.split or record.split) if self._params.splits == "given" else ""
                metadata = metadata._replace(split=split)
            except RejectedRecord as error:
                self.reject(number, record.line, error.reason, error.detail, record.text or _json_text(record.value))
            else:
                if isinstance(contents, Judged) and self._params.judged == "rows":
                    self.add(number, record.line, metadata, encode(contents))
                elif isinstance(contents, Judged):
                    text = record.text or _json_text(record.value)
                    self._add_answer(SpilledAnswer(number, record.line, metadata, contents, text))
                else:
                    self.extra_rows += len(contents) - 1
                    for content in contents:
                        self.add(number, record.line, metadata, content)
            by_format[reader.format] = by_format.get(reader.format, 0) + 1
        notes += reader.conversations.notes()
        if notes:
            self.notes[file.name] = notes
        if reader.unread.fields:
            self.unread[file.name] = reader.unread.fields
        self._stops.update(reader.unread.stops)

    def add(self, file: int, line: int, metadata: Metadata, content: bytes) -> None:
        """Adds the row of a content encoded as JSON."""
        self.row_count += 1
        self.rows.add(content_id(content), encode(SpilledRow(file, line, metadata, msgspec.Raw(content))))

    def reject(self, file: int, line: int, reason: str, detail: str, text: str) -> None:
        """Counts an unusable record and writes it to the output `rejected`."""
        rejected = Rejected(self.file_names[file], line, reason, detail, text)
        repeats = reason in NO_FORMAT.values() and any(
            (r.file, r.detail) == (rejected.file, detail) for r in self.first_rejected
        )
        if len(self.first_rejected) < MAX_NAMED and reason not in ratings.EXPECTED_REASONS and not repeats:
            self.first_rejected.append(msgspec.structs.replace(rejected, found=""))
        self.dropped[reason] += 1
        self._rejected.write(encode(rejected) + b"\n")

    def _add_answer(self, spilled: SpilledAnswer) -> None:
        if spilled.answer.good:
            self.add(spilled.file, spilled.line, spilled.metadata, encode(ratings.as_chat(spilled.answer)))
        self._answers.add(ratings.prompt_key(spilled.answer, spilled.metadata.split), encode(spilled))

    def pair_answers(self) -> None:
        """Turns every bad answer into a pair or a rejected record; call it once all files are read."""
        decoder = msgspec.json.Decoder(SpilledAnswer)
        for _, values in self._answers:
            answers = [decoder.decode(value) for value in values]
            good = [a.answer for a in answers if a.answer.good]
            for bad in (a for a in answers if not a.answer.good):
                if pair := ratings.as_pair(bad.answer, good):
                    self.add(bad.file, bad.line, bad.metadata, encode(pair))
                else:
                    self.reject(bad.file, bad.line, *ratings.BAD_ALONE, bad.text)

    def merged(self) -> Iterator[tuple[Row, list[tuple[str, str, int]]]]:
        """(row, its places as (id, file, line)), once for each id, by ascending id."""
        decoder, names = msgspec.json.Decoder(SpilledRow), self.file_names
        for id, values in self.rows:
            first = decoder.decode(values[0])
            row, places = Row(id, first.content, *first.metadata), [(id, names[first.file], first.line)]
            for value in values[1:]:
                copy = decoder.decode(value)
                row = merge(row, Row(id, row.content, *copy.metadata))
                places.append((id, names[copy.file], copy.line))
            yield row, sorted(places)

    def check(self, raw: Path) -> None:
        """Refuses data without rows, with more unusable records than allowed, or with fields that must be read.

        Raises:
            UserError: names the first of the records, and all of the fields.
        """
        unusable = self.dropped.total() - sum(self.dropped[reason] for reason in ratings.EXPECTED_REASONS)
        problems = [self._stop(path, what) for path, what in self._stops.items()]
        if not self.row_count:
            problems.append(f"{raw}: {self.records} records, none usable: want at least one{self._first_rejected()}")
        elif unusable / self.records > self._params.max_rejected_fraction:
            problems.append(
                f"{raw}: {unusable} of {self.records} records unusable: want at most "
                f"{self._params.max_rejected_fraction:.2%}; mend them or raise ingest.max_rejected_fraction"
                f"{self._first_rejected()}"
            )
        if problems:
            raise UserError("\n".join(problems))

    def _stop(self, path: str, what: str) -> str:
        fields = {name: unread[path] for name, unread in self.unread.items() if path in unread}
        first, *others = fields
        records, example = sum(field["records"] for field in fields.values()), fields[first]["example"]
        return (
            f"{first}{f' and {len(others)} more' if others else ''}: field {path} (records: {records}), such as "
            f"{example!r}: nothing reads it, and it may be {what}: want it mapped in `fields` of ingest.files, or "
            "named in `ignore`"
        )

    def _first_rejected(self) -> str:
        """One line for each file without a known format, then for each of the first rejected records."""
        unknown = {name for name, counts in self.formats.items() if counts and counts.keys() <= NO_FORMAT.keys()}
        lines = [f"\n  {name}: {sum(self.formats[name].values())} records, none in one known format: name the format "
                 "in ingest.files, or move the file elsewhere" for name in sorted(unknown)]  # fmt: skip
        return "".join([*lines, *(f"\n  {r.file}:{r.line}: {r.reason}: {r.detail}" for r in self.first_rejected)])

    def mixed_formats(self) -> str:
        """Files with several formats, or records of none, as the end of the line of counts; "" without such files."""
        mixed = {name: sorted(counts.items()) for name, counts in self.formats.items()
                 if len(counts) > 1 or counts.keys() & NO_FORMAT.keys()}  # fmt: skip
        texts = [f"{name} ({', '.join(f'{format} {n}' for format, n in counts)})" for name, counts in mixed.items()]
        return _named("mixed", texts)

    def unread_fields(self) -> str:
        """The fields of each file that are in no row, as the end of the line of counts; "" without such fields."""
        texts = []
        for file, fields in self.unread.items():
            named = [f"{path} {field['records']}" for path, field in list(fields.items())[:MAX_NAMED]]
            more = f" and {len(fields) - MAX_NAMED} more" if len(fields) > MAX_NAMED else ""
            texts.append(f"{file} ({', '.join(named)}{more})")
        return _named("not read", texts)


def _named(what: str, texts: list[str]) -> str:
    more = f" and {len(texts) - MAX_NAMED} more" if len(texts) > MAX_NAMED else ""
    return f"; {what} {', '.join(texts[:MAX_NAMED])}{more}" if texts else ""


def _json_text(value: object) -> str:
    return encode(value).decode()


def main(raw: In, ingested: Out, sources: Out, rejected: Out, report: Out, params: Ingest) -> str:
    if problems := rule_problems(params.files, "ingest.files"):
        raise UserError("\n".join(problems))
    with rejected.open("wb") as file:
        ingestion = Ingestion(ingested.parent, file, params)
        found = files.list_files(raw, params.files, params.documents is not None)
        for raw_file in found.files:
            ingestion.read(raw_file)
        ingestion.pair_answers()
    ingestion.check(raw)
    rows_out = 0
    with ingested.open("wb") as file, parquet_table.writer(sources, {"id": str, "file": str, "line": int}) as add:
        for row, places in ingestion.merged():
            rows_out += 1
            file.write(encode(row) + b"\n")
            for place in places:
                add(place)
    reasons = [*ingestion.dropped.elements(), *["repeated"] * (ingestion.row_count - rows_out)]
    counts = accounting.account(ingestion.records + ingestion.extra_rows, rows_out, reasons)
    told = {"formats": ingestion.formats, "unread": ingestion.unread, "left_out": found.left_out}
    accounting.write_json(report, {**counts, **told, "notes": ingestion.notes})
    line = accounting.summary(counts) + ingestion.mixed_formats() + ingestion.unread_fields()
    notes = [f"{name} ({'; '.join(notes)})" for name, notes in ingestion.notes.items()]
    return line + _named("decided", notes) + _named("left out", found.told())


if __name__ == "__main__":
    harness.run(main)
