"""CSV (RFC 4180) and TSV: a line of column names, then a record a row; a quoted field may hold commas and newlines.

A quote that goes wrong may take many lines along. Each of them is told as broken: none is taken for a row.
"""

import csv
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

from stages.reading.containers import stream
from stages.reading.containers.record import Broken, Record, Unreadable

ADVICE = "want a row a line"
FIELD = 1 << 20  # characters; so many a quote that goes wrong takes along


def read(file: BinaryIO, delimiter: str) -> Iterator[Record | Broken]:
    """The rows below the column names.

    Raises:
        Unreadable: there are no usable column names.
    """
    csv.field_size_limit(FIELD)
    taken: list[str] = []  # the lines of the record that is being read
    reader = csv.reader(_noting(stream.lines(file, ADVICE), taken), strict=True, delimiter=delimiter)
    columns: list[str] = []
    start = 0  # lines before the record
    while True:
        start += len(taken)
        taken.clear()
        try:
            values = next(reader, None)
        except csv.Error as error:
            if not columns:
                raise Unreadable(f"{start + 1}: {error}: want a line of column names") from None
            why = f"no CSV from line {start + 1} on: {error}"
            for number, line in enumerate(taken, start + 1):
                yield Broken(number, why, line.rstrip("\r\n"), "broken_csv")
            continue
        if values is None:
            return
        found = "".join(taken).rstrip("\r\n")
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


def _noting(lines: Iterator[str], taken: list[str]) -> Iterator[str]:
    for line in lines:
        taken.append(line)
        yield line


read_csv = partial(read, delimiter=",")
read_tsv = partial(read, delimiter="\t")
