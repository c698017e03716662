"""Reads raw files of any known format into canonical rows, and keeps where every row came from.

Inputs:  raw        folder of files in any container of stages/reading/containers (UTF-8), or one such file
Outputs: ingested   JSONL, one canonical row a content, sorted by id
         sources    Parquet {id, file, line}: every place that each row stands at, copies included
         rejected   JSONL {file, line, reason, detail, found}: what could not be used, whole, as the file has it
         report     JSON {in, out, dropped, formats: {file: {format: records}}}
Params:  ingest

A record is one row, a document several (`ingest.documents`): `in` counts these rows, and records without one.
Memory holds one record, a bounded number of rows that wait to be sorted, and nothing for each.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from modelmake import harness
from modelmake.errors import UserError
from modelmake.signature import In, Out
from stages.params.data import Ingest
from stages.reading import files, ratings
from stages.reading import record as reading
from stages.rows import accounting, parquet_table
from stages.rows.row import Row, content_id, merge
from stages.rows.spill import Spill

SHOWN = 10  # rejected records named in an error
encode = msgspec.json.encode


class Rejected(msgspec.Struct, frozen=True):
    file: str
    line: int
    reason: str
    detail: str
    found: str


class Place(msgspec.Struct, frozen=True, array_like=True):
    """A row where it was read."""

    file: int
    line: int
    beside: reading.Beside
    content: msgspec.Raw  # JSON


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """A judged answer where it was read."""

    file: int
    line: int
    beside: reading.Beside
    answer: ratings.Judged
    text: str  # as the file has it


class Ingested:
    """What was read so far: rows and judged answers on disk, counts in memory."""

    def __init__(self, folder: Path, rejected: BinaryIO, params: Ingest) -> None:
        self.rows, self._judged = Spill(folder), Spill(folder)
        self._rejected, self._params = rejected, params
        self.names: list[str] = []
        self.formats: dict[str, dict[str, int]] = {}
        self.dropped: Counter[str] = Counter()
        self.first: list[Rejected] = []
        self.records = self.many = self.spilled = 0  # records; rows of theirs beyond one each; rows

    def read(self, file: files.Raw) -> None:
        """Takes in a file."""
        number = len(self.names)
        self.names.append(file.name)
        by_format = self.formats.setdefault(file.name, {})
        reader = reading.Reader(file.told, self._params.documents)
        for record in files.read(file.path, file.name):
            self.records += 1
            if isinstance(record, files.Broken):
                self.reject(number, record.line, record.reason, record.why, record.found)
                continue
            try:
                found, beside = reader.read(record.value)
                beside = beside if beside.split else beside._replace(split=record.split)
            except reading.Unfit as error:
                self.reject(number, record.line, *error.args, record.text or _text(record.value))
            else:
                if isinstance(found, ratings.Judged):
                    self._judge(Answer(number, record.line, beside, found, record.text or _text(record.value)))
                else:
                    self.many += len(found) - 1
                    for content in found:
                        self.add(number, record.line, beside, content)
            by_format[reader.form] = by_format.get(reader.form, 0) + 1

    def add(self, file: int, line: int, beside: reading.Beside, content: bytes) -> None:
        """Takes in a row."""
        self.spilled += 1
        self.rows.add(content_id(content), encode(Place(file, line, beside, msgspec.Raw(content))))

    def reject(self, file: int, line: int, reason: str, detail: str, found: str) -> None:
        """Writes down what is no row."""
        bad = Rejected(self.names[file], line, reason, detail, found)
        again = reason in reading.UNFIT.values() and any((b.file, b.detail) == (bad.file, detail) for b in self.first)
        if len(self.first) < SHOWN and reason not in ratings.FINE and not again:
            self.first.append(msgspec.structs.replace(bad, found=""))
        self.dropped[reason] += 1
        self._rejected.write(encode(bad) + b"\n")

    def _judge(self, found: Answer) -> None:
        if found.answer.good:
            self.add(found.file, found.line, found.beside, encode(ratings.chat(found.answer)))
        self._judged.add(ratings.key(found.answer, found.beside.split), encode(found))

    def pair(self) -> None:
        """Bad answers to rows, now that the good ones to the same prompts are known."""
        decoder = msgspec.json.Decoder(Answer)
        for _, values in self._judged:
            answers = [decoder.decode(value) for value in values]
            good = [a.answer for a in answers if a.answer.good]
            for bad in (a for a in answers if not a.answer.good):
                if pair := ratings.pair(bad.answer, good):
                    self.add(bad.file, bad.line, bad.beside, encode(pair))
                else:
                    self.reject(bad.file, bad.line, *ratings.ALONE, bad.text)

    def merged(self) -> Iterator[tuple[Row, list[tuple[str, str, int]]]]:
        """Every row once, by id, with all its places."""
        decoder, names = msgspec.json.Decoder(Place), self.names
        for id, values in self.rows:
            first = decoder.decode(values[0])
            row, places = Row(id, first.content, *first.beside), [(id, names[first.file], first.line)]
            for value in values[1:]:
                place = decoder.decode(value)
                row = merge(row, Row(id, row.content, *place.beside))
                places.append((id, names[place.file], place.line))
            yield row, sorted(places)

    def check(self, raw: Path) -> None:
        """Refuses data that has no rows, or more unusable records than allowed.

        Raises:
            UserError: naming the first.
        """
        bad = self.dropped.total() - sum(self.dropped[reason] for reason in ratings.FINE)
        if not self.spilled:
            raise UserError(f"{raw}: {self.records} records, none usable: want at least one{self._told()}")
        if bad / self.records > self._params.max_rejected_fraction:
            raise UserError(
                f"{raw}: {bad} of {self.records} records unusable: want at most "
                f"{self._params.max_rejected_fraction:.2%}; mend them or raise ingest.max_rejected_fraction"
                f"{self._told()}"
            )

    def _told(self) -> str:
        """A line each: files of no format at all, then the first records; those with the same wrong fields once."""
        lost = {name for name, seen in self.formats.items() if seen and seen.keys() <= reading.UNFIT.keys()}
        lines = [f"\n  {name}: {sum(self.formats[name].values())} records, all of no one format: say in ingest.files "
                 "what they are, or move it elsewhere" for name in sorted(lost)]  # fmt: skip
        return "".join([*lines, *(f"\n  {b.file}:{b.line}: {b.reason}: {b.detail}" for b in self.first)])

    def mixed(self) -> str:
        """What files hold more than one format, or none, in words; "" where none does."""
        mixed = {name: sorted(seen.items()) for name, seen in self.formats.items()
                 if len(seen) > 1 or seen.keys() & reading.UNFIT.keys()}  # fmt: skip
        found = [f"{name} ({', '.join(f'{form} {n}' for form, n in seen)})" for name, seen in mixed.items()]
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        return f"; mixed {', '.join(found[:SHOWN])}{more}" if found else ""


def _text(value: object) -> str:
    return encode(value).decode()


def main(raw: In, ingested: Out, sources: Out, rejected: Out, report: Out, params: Ingest) -> str:
    reading.check(params.files, "ingest.files")
    with rejected.open("wb") as file:
        found = Ingested(ingested.parent, file, params)
        for raw_file in files.files(raw, params.files):
            found.read(raw_file)
        found.pair()
    found.check(raw)
    out = 0
    with ingested.open("wb") as file, parquet_table.writer(sources, {"id": str, "file": str, "line": int}) as add:
        for row, places in found.merged():
            out += 1
            file.write(encode(row) + b"\n")
            for place in places:
                add(place)
    reasons = [*found.dropped.elements(), *["repeated"] * (found.spilled - out)]
    counts = accounting.account(found.records + found.many, out, reasons)
    accounting.write_json(report, {**counts, "formats": found.formats})
    return accounting.summary(counts) + found.mixed()


if __name__ == "__main__":
    harness.run(main)
