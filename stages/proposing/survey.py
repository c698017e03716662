"""What somebody's files hold: which are data, how each is read, and its rows."""

import contextlib
import glob
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from modelmake.errors import UserError
from stages.params.data import Documents, FileRule
from stages.proposing import mapping
from stages.reading import files
from stages.reading.containers import READERS
from stages.reading.containers.record import Broken, Record
from stages.reading.record_reader import NO_FORMAT, RecordReader
from stages.reading.rejection import RejectedRecord
from stages.rows.row import Content, Judged, Row, make_row, merge

SEEN_RECORDS = 200  # of each file, to tell its format
MAX_RECORDS = 100_000  # of each file, to tell the rest
DOCUMENTS = Documents(max_chars=1000, headings=True)


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
            chosen.append(FileRule(**_rule_fields({"glob": glob.escape(name) + ("/*" if _is_pin(path) else "")})))
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
    return [file for file in found if file.is_file() and not any(part.startswith(".") for part in file.parts[-1:])]


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


def _rule_fields(rule: dict[str, Any]) -> dict[str, Any]:
    """A whole entry of `ingest.files`; what is not said there is null, or empty."""
    return {"format": None, "fields": None, "ignore": [], **rule}


def _read(file: files.RawFile, given: FileRule | None, result: Survey) -> None:
    """Adds a file and its rows to the result.

    Raises:
        UserError: its fields are of no known format, or no record is usable.
    """
    records = files.read(file.path, file.name)
    first = list(islice(records, SEEN_RECORDS))
    values = [record.value for record in first if isinstance(record, Record)]
    if not values:
        broken = first[0].detail if first and isinstance(first[0], Broken) else "it is empty"
        result.left_out[file.name] = f"none of its first {len(first)} records can be read: {broken}"
        return
    rule = msgspec.structs.asdict(given) if given else _detect(file, values)
    reader = RecordReader(FileRule(**_rule_fields({"glob": "*", **(rule or {})})), DOCUMENTS)
    formats, rejected, splits, count = Counter[str](), Counter[str](), Counter[str](), 0
    detail = ""
    for record in (*first, *islice(records, MAX_RECORDS - SEEN_RECORDS)):
        count += 1
        if isinstance(record, Broken):
            rejected[record.reason] += 1
            continue
        try:
            contents, metadata = reader.read(record.value)
        except RejectedRecord as error:
            rejected[error.reason] += 1
            detail = detail or f"{record.line}: {error.reason}: {error.detail}"
            continue
        formats[reader.format] += 1
        metadata = metadata if metadata.split else metadata._replace(split=record.split)
        for content in _contents(contents):
            splits[metadata.split] += 1
            row = make_row(content, *metadata)
            earlier = result.rows.get(row.id)
            result.rows[row.id] = (merge(earlier[0], row) if earlier else row, file.name)
    if not splits:
        raise UserError(f"{file.path}:{detail}: none of its records is usable: want rows; mend it, or name the others")
    whole = next(records, None) is None
    wanted, more = (None, {}) if given else _unread(file, rule, reader)
    result.files.append(File(file.name, wanted, formats, count, whole, rejected, splits, more))


def _contents(read: list[bytes] | Judged) -> list[Content]:
    return [read] if isinstance(read, Judged) else [msgspec.json.decode(content, type=Content) for content in read]


def _unread(
    file: files.RawFile, rule: dict[str, Any] | None, reader: RecordReader
) -> tuple[dict[str, Any] | None, dict[str, int]]:
    """(the rule with what nothing reads in its `ignore`, None if it needs none; what lists have beyond mapped fields).

    Raises:
        UserError: something that nothing reads would change what rows mean.
    """
    fields, stops = reader.unread.fields, reader.unread.stops
    if stops:
        told = ", ".join(f"{path} ({what}; {fields[path]['example']!r})" for path, what in stops.items())
        raise UserError(
            f"{file.path}: nothing reads {told}: want it mapped or left out by name; write a recipe of yours and add "
            f"`--recipe FILE.yaml`: `ingest: {{files: [{{glob: {file.name!r}, format: null, fields: null, ignore: "
            f"[{', '.join(stops)}]}}]}}`"
        )
    left = mapping.ignorable(fields, (rule or {}).get("fields") or {})
    more = {path: fields[path]["records"] for path in fields if path not in left and not path.startswith("(")}
    return ({**(rule or {}), "ignore": left} if left else rule), more


def _detect(file: files.RawFile, values: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The format and the fields that a file needs in `ingest.files`; None if its records tell their format.

    Raises:
        UserError: neither the fields nor their names tell.
    """
    reader, formats = RecordReader(None, DOCUMENTS), Counter[str]()
    for value in values:
        with contextlib.suppress(RejectedRecord):
            reader.read(value)
        formats[reader.format] += 1
    if sum(n for name, n in formats.items() if name not in NO_FORMAT) * 2 > len(values):
        return None
    found = mapping.propose(values)
    if isinstance(found, mapping.Mapping):
        return {"format": found.format, "fields": found.fields}
    names = ", ".join(leaf.path for leaf in mapping.leaves(values))
    raise UserError(
        f"{file.path}: {found}: want to know which is which; name the fields in a recipe of yours and add "
        f"`--recipe FILE.yaml`: `ingest: {{files: [{{glob: {file.name!r}, format: qa, fields: {{question: …, answer: "
        f"…}}, ignore: []}}]}}`; or name the other files only. Its fields: {names}"
    )
