"""What somebody's files hold: which are data, how each is read, and its rows."""

import glob
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from modelmake.errors import UserError
from stages.params.data import FileRule
from stages.proposing import file_rule, mapping
from stages.reading import field_names, files
from stages.reading.containers import READERS
from stages.reading.containers.record import Broken, Record
from stages.reading.formats import READERS as FORMATS
from stages.reading.record_reader import RecordReader
from stages.reading.rejection import RejectedRecord
from stages.rows.row import Row, make_row, merge

MAX_RECORDS = 100_000  # of each file, to tell the rest
MISFITS = ("wrong_shape", "no_field")  # reasons of records that a mapping does not fit
TOLERATED = 0.02  # share of unusable records


class File(NamedTuple):
    """A file of data."""

    name: str  # below the raw folder
    rule: dict[str, Any] | None  # the entry of ingest.files that it needs, its glob left out; null: none
    formats: Counter[str]
    records: int
    whole: bool  # all records were read
    rejected: Counter[str]  # by reason
    splits: Counter[str]  # rows by the split that the file gives; "": none
    more: dict[str, int]  # {field in a list: records that have more of it than the mapped one}
    notes: Sequence[str] = ()  # why the rule is as it is
    given: bool = False  # the rule is the recipe's


class Survey(NamedTuple):
    files: list[File]
    left_out: dict[str, str]  # {name: why}
    rows: dict[str, tuple[Row, str]]  # {id: (row, its file)}


def survey(paths: list[Path], raw: Path, rules: list[FileRule]) -> Survey:
    """Reads the files and those below folders.

    Args:
        raw: the folder that names start at, or the only file.
        rules: entries of `ingest.files` that a recipe gives; the first that matches a file is how it is read.

    Raises:
        UserError: a file cannot be read, or nothing tells which of its fields are which; all are named.
    """
    result = Survey([], {}, {})
    chosen = []
    for path in sorted({file for given in paths for file in _below(given)}):
        name = path.relative_to(raw).as_posix() if raw.is_dir() else path.name
        if why := _no_data(path):
            result.left_out[name] = why
        else:
            chosen.append(FileRule(glob.escape(name) + ("/*" if _is_pin(path) else ""), **file_rule.complete(None)))
    problems: list[str] = []
    for file in files.list_files(raw, chosen).files if chosen else ():
        try:
            _read(file, files.matching_rule(file.name, rules), result)
        except UserError as error:
            problems.append(str(error))
    if problems:
        raise UserError("\n".join(problems))
    if not result.rows:
        told = "; ".join(f"{name}: {why}" for name, why in result.left_out.items())
        raise UserError(f"{raw}: no rows: {told or 'no files'}: want data; docs/your-data.md has the formats")
    return result


def _below(path: Path) -> Iterable[Path]:
    found = [path] if path.is_file() else path.rglob("*")
    return [file for file in found if file.is_file() and (file == path or not files.skipped(file.relative_to(path)))]


def _is_pin(path: Path) -> bool:
    return path.name.endswith(files.PIN_SUFFIX)


def _no_data(path: Path) -> str:
    """Why a file is no data by its name; "" if it may be."""
    if path.suffix == ".dvc":
        return "written by DVC"
    if files.is_about_data(path):
        return "a text about the data, by its name"
    if files.suffixes(path)[0] not in READERS and not _is_pin(path):
        return f"no reader for {path.suffix or 'a name without a suffix'}"
    return ""


def _read(file: files.RawFile, given: FileRule | None, result: Survey) -> None:
    """Adds a file and its rows to the result.

    Raises:
        UserError: its fields are of no known format, or no record is usable.
    """
    records = files.read(file.path, file.name)
    first = list(islice(records, file_rule.SEEN_RECORDS))
    values = [record.value for record in first if isinstance(record, Record)]
    if not values:
        broken = first[0].detail if first and isinstance(first[0], Broken) else "it is empty"
        result.left_out[file.name] = f"none of its first {len(first)} records can be read: {broken}"
        return
    proposed = file_rule.Proposed(msgspec.structs.asdict(given)) if given else _propose(file, values)
    rule = {name: value for name, value in (proposed.rule or {}).items() if name != "glob"}
    reader, scores = file_rule.reader_of(rule), Scores(values)
    formats, rejected, splits, count = Counter[str](), Counter[str](), Counter[str](), 0
    detail = ""
    for record in reader.each_item(chain(first, islice(records, MAX_RECORDS - len(first)))):
        count += 1
        if isinstance(record, Broken):
            rejected[record.reason] += 1
            continue
        try:
            read, metadata = reader.read(record.value)
        except RejectedRecord as error:
            rejected[error.reason] += 1
            detail = detail or f"{record.line}: {error.reason}: {error.detail}"
            continue
        scores.add(record.value)
        formats[reader.format] += 1
        metadata = metadata if metadata.split else metadata._replace(split=record.split)
        for content in file_rule.contents(read):
            splits[metadata.split] += 1
            row = make_row(content, *metadata)
            earlier = result.rows.get(row.id)
            result.rows[row.id] = (merge(earlier[0], row) if earlier else row, file.name)
    if not splits:
        raise UserError(f"{file.path}:{detail}: none of its records is usable: want rows; mend it, or name the others")
    misfits = sum(rejected[reason] for reason in MISFITS)
    if not given and rule.get("fields") and misfits > TOLERATED * count:
        raise UserError(
            f"{file.path}:{detail}: {misfits} of {count} records do not fit {proposed.notes[0]}: want to know how they "
            f"are read; {file_rule.advice(file_rule.entry(file.name, rule))}, changed so that it fits"
        )
    whole = next(records, None) is None
    if given:
        result.files.append(File(file.name, rule, formats, count, whole, rejected, splits, {}, given=True))
        return
    wanted, more = _unread(file, rule, reader, scores.agreeing if formats["pairs"] == formats.total() else set())
    notes = [*proposed.notes] + ([scores.told()] if scores.agreeing & set((wanted or {}).get("ignore", ())) else [])
    result.files.append(File(file.name, wanted, formats, count, whole, rejected, splits, more, notes))


class Scores:
    """The scores of both answers of pairs: where the chosen one has no less in any record, they say nothing more."""

    def __init__(self, values: list[dict[str, Any]]) -> None:
        names = {name for value in values for name in value}
        others = {name: name.replace("chosen", "rejected") for name in sorted(names - {"chosen"})}
        self._pairs = [(name, other) for name, other in others.items() if other != name and other in names]
        self._against: Counter[str] = Counter()

    def add(self, record: dict[str, Any]) -> None:
        for chosen, rejected in self._pairs:
            better, worse = record.get(chosen), record.get(rejected)
            if not (_is_number(better) and _is_number(worse) and better >= worse):
                self._against[chosen] += better is not None or worse is not None

    @property
    def agreeing(self) -> set[str]:
        return {name for pair in self._pairs if not self._against[pair[0]] for name in pair}

    def told(self) -> str:
        return f"{', '.join(sorted(self.agreeing))}: the chosen answer never has less, so they say what pairs say"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _propose(file: files.RawFile, values: list[dict[str, Any]]) -> file_rule.Proposed:
    try:
        return file_rule.propose(file.name, values)
    except UserError as error:
        raise UserError(f"{file.path}: {error}") from None


def _unread(
    file: files.RawFile, rule: dict[str, Any], reader: RecordReader, agreeing: set[str]
) -> tuple[dict[str, Any] | None, dict[str, int]]:
    """(the rule with what nothing reads in its `ignore`, None if it needs none; what lists have beyond mapped fields).

    Args:
        agreeing: fields that say no more than the rows do.

    Raises:
        UserError: something that nothing reads would change what rows mean.
    """
    fields = reader.unread.fields
    stops = {path: what for path, what in reader.unread.stops.items() if path not in agreeing
             and not mapping.is_guessed(path) and field_names.has_meaning(path.rpartition(".")[2])}  # fmt: skip
    left = mapping.ignorable(fields, rule.get("fields") or {})
    ignored = [*rule.get("ignore", ()), *left]
    if stops:
        told = ", ".join(f"{path} ({what}; {fields[path]['example']!r})" for path, what in stops.items())
        entry = file_rule.entry(file.name, {**rule, "ignore": ignored})
        known = FORMATS[reader.format].FIELDS if reader.format in FORMATS else {}
        held = {field_names.HELD_BY.get(what) for what in stops.values()}
        to = f" to {min(held)}" if len(held) == 1 and held <= known.keys() else ""
        raise UserError(
            f"{file.path}: nothing reads {told}: want it mapped{to} or left out by name; to leave it out, "
            f"{file_rule.advice(entry)}"
        )
    more = {path: fields[path]["records"] for path in fields if path not in left and not path.startswith("(")}
    return ({**rule, "ignore": ignored} if ignored else rule or None), more
