"""Files to records: JSON, JSONL, CSV and plain text, each record with the line it begins on.

A file that cannot be read at all is the user's to mend (`UserError`); a record that cannot is a `Broken`.
"""

import bisect
import csv
import io
import json
import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from modelmake.errors import UserError

SPACE = re.compile(r"[ \t\r\n]*")
WANTED = 'want an array of records, or an object of splits such as {"train": [[text, label], …]}'
SPLIT_NAMES = {"train": "train", "val": "val", "validation": "val", "dev": "val", "test": "test"}


class Record(NamedTuple):
    line: int  # 1-based
    value: dict[str, Any]
    text: str  # as the file has it
    split: str = ""  # where the file, or its name, says so


class Broken(NamedTuple):
    line: int
    why: str
    found: str
    reason: str = "broken_json"


class Unreadable(Exception):
    """What makes a whole file useless: `line: found: wanted; what to do`."""


class Element(NamedTuple):
    start: int  # where in the text
    end: int
    value: Any  # or the error that ends the document
    split: str


def files(raw: Path) -> list[Path]:
    """The raw files below a folder (or the one file), sorted.

    Raises:
        UserError: there are none, or some have a suffix that no reader knows; each is named.
    """
    found = [raw] if raw.is_file() else sorted(p for p in raw.rglob("*") if p.is_file())
    found = [p for p in found if not p.name.startswith(".") and p.suffix != ".dvc"]  # `dvc import-url` leaves those
    if not found:
        raise UserError(f"{raw}: no files: want rows as {', '.join(READERS)}; put them there")
    if unknown := [p for p in found if p.suffix not in READERS]:
        raise UserError(
            "\n".join(
                f"{p}: suffix {p.suffix or '(none)'!s}: want one of {', '.join(READERS)}; "
                "convert it, or move it elsewhere"
                for p in unknown
            )
        )
    return found


def read(path: Path) -> Iterator[Record | Broken]:
    """The records of a file, in order; those of train.csv are in train where the file says nothing else.

    Raises:
        UserError: the file is no UTF-8 text, or a CSV file without usable column names.
    """
    split = _split(path.stem)
    try:
        for record in READERS[path.suffix](_text(path)):
            yield record._replace(split=record.split or split) if isinstance(record, Record) else record
    except Unreadable as error:
        raise UserError(f"{path}:{error}") from None


def _text(path: Path) -> str:
    content = path.read_bytes()
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise UserError(f"{path}: is UTF-16: want UTF-8; `iconv -f UTF-16 -t UTF-8` converts it")
    if (nul := content.find(b"\0")) >= 0:
        raise UserError(f"{path}: byte {nul} is NUL, so this is no text: want UTF-8 text; move it elsewhere")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UserError(
            f"{path}:{line}: byte {content[error.start]:#04x} is not UTF-8: save the file as UTF-8"
        ) from None


def _paragraphs(text: str) -> Iterator[Record]:
    paragraph: list[str] = []
    lines = [*text.split("\n"), ""]
    for number, line in enumerate(lines, 1):
        if line.strip():
            paragraph.append(line.rstrip())
        elif paragraph:
            whole = "\n".join(paragraph)
            yield Record(number - len(paragraph), {"text": whole}, whole)
            paragraph = []


def _lines(text: str) -> Iterator[Record | Broken]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield Broken(number, f"no JSON: {error}", line)
            continue
        yield Record(number, value, line) if isinstance(value, dict) else Broken(number, "no JSON object", line)


def _table(text: str) -> Iterator[Record | Broken]:
    """The rows of a CSV file (RFC 4180) below its column names; a quoted field may hold commas and newlines.

    A quote that goes wrong may take many lines along. Each of them is told as broken: none is taken for a row.
    """
    lines = io.StringIO(text, newline="\n").readlines()
    reader = csv.reader(lines, strict=True)
    columns: list[str] = []
    while reader.line_num < len(lines):
        start = reader.line_num
        try:
            values = next(reader, [])
        except csv.Error as error:
            if not columns:
                raise Unreadable(f"{start + 1}: {error}: want a line of column names") from None
            why = f"no CSV from line {start + 1} on: {error}"
            for number in range(start, reader.line_num):
                yield Broken(number + 1, why, lines[number].rstrip("\r\n"), "broken_csv")
            continue
        found = "".join(lines[start : reader.line_num]).rstrip("\r\n")
        if not found.strip():
            continue
        if not columns:
            columns = values
            if len(set(columns)) < len(columns):
                raise Unreadable(f"{start + 1}: columns {', '.join(columns)}: want each name once; rename one")
        elif len(values) != len(columns):
            why = f"{len(values)} fields: want {len(columns)}: {', '.join(columns)}"
            yield Broken(start + 1, why, found, "broken_csv")
        else:
            yield Record(start + 1, dict(zip(columns, values, strict=True)), found)


def _document(text: str) -> Iterator[Record | Broken]:
    """A JSON array of records, or an object of splits: {"train": [[text, label], …], "test": …}.

    Read element by element, so that every record has its line and a truncated file loses only its end.
    """
    newlines = [m.start() for m in re.finditer("\n", text)]
    for start, end, value, split in _elements(text):
        line, found = bisect.bisect_left(newlines, start) + 1, text[start:end]
        if isinstance(value, Exception):
            yield Broken(line, f"no JSON: {value}", found)
        elif isinstance(value, dict):
            yield Record(line, value, found, split)
        elif isinstance(value, list) and len(value) == 2 and all(isinstance(v, str) for v in value):
            yield Record(line, {"text": value[0], "label": value[1]}, found, split)
        else:
            yield Broken(line, "no JSON object", found)


def _elements(text: str) -> Iterator[Element]:
    """Every element of the document; where it breaks off, the error and the rest of the text."""
    start = _skip(text, 0)
    if text[start : start + 1] == "[":
        end = yield from _array(text, start, "")
    elif text[start : start + 1] == "{":
        end = yield from _object(text, start)
    else:
        yield Element(start, len(text), ValueError(WANTED), "")
        return
    if 0 <= end < len(text):
        yield Element(end, len(text), ValueError("more text after the document's end"), "")


def _object(text: str, start: int) -> Generator[Element, None, int]:
    """The elements of every array in the object that opens at `start`; returns what `_array` does."""
    position = _skip(text, start + 1)
    while text[position : position + 1] != "}":
        try:
            name, after = json.JSONDecoder().raw_decode(text, position)
            colon = _skip(text, after)
            array = _skip(text, colon + 1)
            if not isinstance(name, str) or text[colon : colon + 1] != ":" or text[array : array + 1] != "[":
                raise ValueError(WANTED)
        except (ValueError, RecursionError) as error:
            yield Element(position, len(text), error, "")
            return -1
        position = yield from _array(text, array, _split(name))
        if position < 0:
            return -1
        if text[position : position + 1] == ",":
            position = _skip(text, position + 1)
    return _skip(text, position + 1)


def _array(text: str, start: int, split: str) -> Generator[Element, None, int]:
    """The elements of the array that opens at `start`; returns where the text goes on, -1 after an error."""
    decoder, position = json.JSONDecoder(), _skip(text, start + 1)
    while text[position : position + 1] != "]":
        try:
            value, after = decoder.raw_decode(text, position)
            yield Element(position, after, value, split)
            position = _skip(text, after)
            if text[position : position + 1] == ",":
                position = _skip(text, position + 1)
            elif text[position : position + 1] != "]":
                raise ValueError("want , or ]" if position < len(text) else "the file ends before its ]")
        except (ValueError, RecursionError) as error:
            yield Element(position, len(text), error, split)
            return -1
    return _skip(text, position + 1)


def _skip(text: str, position: int) -> int:
    return SPACE.match(text, position).end()


def _split(name: str) -> str:
    """The split that the name of an array or a file such as `train`, `validation`, `oos_test` speaks of."""
    return next((split for n, split in SPLIT_NAMES.items() if name == n or name.endswith(f"_{n}")), "")


READERS = {".json": _document, ".jsonl": _lines, ".csv": _table, ".txt": _paragraphs}  # by suffix
