"""CSV (RFC 4180) and TSV: a line of column names, then a record a row; quoted fields may hold delimiters and newlines.

A misplaced quote may swallow many lines. Each of them becomes a broken record, and none is taken for a row.
"""

import csv
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

from stages.reading.containers import stream
from stages.reading.containers.record import Broken, Record, Unreadable

ADVICE = "want a row a line"
MAX_FIELD_CHARS = 1 << 20  # of one field; bounds what an open quote can swallow


def read(file: BinaryIO, delimiter: str) -> Iterator[Record | Broken]:
    """The rows below the column names; blank lines are skipped.

    Raises:
        Unreadable: the file is not UTF-8 text, or has no usable column names.
    """
    csv.field_size_limit(MAX_FIELD_CHARS)
    row_lines: list[str] = []  # lines that the csv module has read for the current row
    reader = csv.reader(_recorded(stream.lines(file, ADVICE), row_lines), strict=True, delimiter=delimiter)
    columns: list[str] = []
    start = 0  # number of lines before the current row
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
            columns = values
            if len(set(columns)) < len(columns):
                raise Unreadable(f"{start + 1}: columns {', '.join(columns)}: want each name once; rename one")
        elif len(values) != len(columns):
            detail = f"{len(values)} fields: want {len(columns)}: {', '.join(columns)}"
            yield Broken(start + 1, detail, text, "broken_csv")
        else:
            yield Record(start + 1, dict(zip(columns, values, strict=True)), text)


def _recorded(lines: Iterator[str], row_lines: list[str]) -> Iterator[str]:
    """The lines, each also appended to a list."""
    for line in lines:
        row_lines.append(line)
        yield line


read_csv = partial(read, delimiter=",")
read_tsv = partial(read, delimiter="\t")
