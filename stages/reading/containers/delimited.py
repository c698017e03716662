"""CSV (RFC 4180) and TSV: a line of column names, then a record a row; quoted fields may hold delimiters and newlines.

Names that another sign clearly separates are read so, and numbers of rows that pandas writes are left out; both are
told.
A misplaced quote may swallow many lines. Each of them becomes a broken record, and none is taken for a row.
"""

import csv
import re
from collections.abc import Iterator
from functools import partial
from itertools import chain
from typing import BinaryIO

from stages.reading.containers import stream
from stages.reading.containers.record import INDEX_NAME, INDEX_NOTE, Broken, Record, Tell, Unreadable

ADVICE = "want a row a line"
DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
NAME = re.compile(r'"?[\w .-]*\w[\w .-]*"?')  # of a column, where the delimiter is in doubt
EXCEL_LINE = re.compile(r"sep=(.)")  # the first of a file, for Excel alone
MAX_FIELD_CHARS = 1 << 20  # of one field; bounds what an open quote can swallow


def read(file: BinaryIO, tell: Tell, delimiter: str) -> Iterator[Record | Broken]:
    """The rows below the column names; blank lines are skipped.

    Raises:
        Unreadable: the file is not UTF-8 text, or has no usable column names.
    """
    csv.field_size_limit(MAX_FIELD_CHARS)
    row_lines: list[str] = []  # lines that the csv module has read for the current row
    lines = stream.lines(file, ADVICE)
    start, header, delimiter = _skip_to_header(lines, delimiter, tell)
    lines = chain([header], lines)
    reader = csv.reader(_recorded(lines, row_lines), strict=True, delimiter=delimiter)
    columns: list[str] = []
    unnamed: list[str] = []  # of them those that people gave no name
    indexes: list[str] = []  # of these those that may hold numbers of rows
    told: set[str] = set()
    while True:
        start += len(row_lines)
        row_lines.clear()
        try:
            values = next(reader, None)
        except csv.Error as error:
            if not columns:
                raise Unreadable(f"{start + 1}: {error}: want a line of column names") from None
            detail = f"no CSV from line {start + 1} on: {error}"
            for number, line in enumerate(row_lines, start + 1):
                yield Broken(number, detail, line.rstrip("\r\n"), "broken_csv")
            continue
        if values is None:
            return
        text = "".join(row_lines).rstrip("\r\n")
        if not text.strip():
            continue
        if not columns:
            columns = [name if name.strip() else f"column {i}" for i, name in enumerate(values, 1)]
            unnamed = [c for c, name in zip(columns, values, strict=True) if INDEX_NAME.fullmatch(name.strip())]
            indexes = [c for c in unnamed if c == columns[0] or c in values]
            if len(set(columns)) < len(columns):
                raise Unreadable(f"{start + 1}: columns {', '.join(columns)}: want each name once; rename one")
        elif len(values) != len(columns):
            detail = f"{len(values)} fields: want {len(columns)}: {', '.join(columns)}"
            yield Broken(start + 1, detail, text, "broken_csv")
        else:
            record = dict(zip(columns, values, strict=True))
            for name in unnamed:
                is_index = name in indexes and record[name].isdecimal()
                if is_index or not record[name]:
                    del record[name]
                if is_index and name not in told:
                    told.add(name)
                    tell(INDEX_NOTE.format(name))
            yield Record(start + 1, record, text)


def _skip_to_header(lines: Iterator[str], delimiter: str, tell: Tell) -> tuple[int, str, str]:
    """(number of lines before that of the column names, that line, the delimiter)."""
    skipped = 0
    for line in lines:
        text = line.strip("\r\n")
        if excel := EXCEL_LINE.fullmatch(text):
            delimiter = excel[1]
        elif text.strip():
            others = [sign for sign in DELIMITERS if sign in text]
            if delimiter not in text and len(others) == 1 and all(map(NAME.fullmatch, text.split(others[0]))):
                delimiter = others[0]
                tell(f"{DELIMITERS[delimiter]} separates its columns")
            return skipped, line, delimiter
        skipped += 1
    return skipped, "", delimiter


def _recorded(lines: Iterator[str], row_lines: list[str]) -> Iterator[str]:
    """The lines, each also appended to a list."""
    for line in lines:
        row_lines.append(line)
        yield line


read_csv = partial(read, delimiter=",")
read_tsv = partial(read, delimiter="\t")
