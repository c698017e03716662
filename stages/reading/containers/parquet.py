"""Parquet: each row a record. Memory holds one row group.

Values become those of JSON: dates, times and decimals become text, bytes become null (no format takes them). Objects
lose their null fields, since Parquet gives every object the fields of all.
"""

import io
from collections.abc import Iterator
from typing import Any, BinaryIO

from stages.reading.containers.record import Record, Unreadable

BATCH_ROWS = 1024  # decoded at a time


def read(file: BinaryIO) -> Iterator[Record]:
    """The rows of the table, with their number in place of a line.

    Raises:
        Unreadable: the file is not Parquet, is damaged, or is compressed as a whole.
    """
    import pyarrow
    import pyarrow.parquet

    if not isinstance(file, io.BufferedReader):
        raise Unreadable(" Parquet has its own compression, and is not read through another one: unpack it")
    number = 0
    try:
        table = pyarrow.parquet.ParquetFile(file, pre_buffer=False)
        for batch in table.iter_batches(batch_size=BATCH_ROWS):
            for row in batch.to_pylist(maps_as_pydicts="lossy"):
                number += 1
                yield Record(number, {name: _json_value(item) for name, item in row.items()}, "")
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        cause = " ".join(str(error).split())
        raise Unreadable(f"{number + 1}: no Parquet that can be read: {cause}: fetch or write it again") from None


def _json_value(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, dict):
        return {str(name): _json_value(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_json_value(item) for item in value]
    return None if isinstance(value, bytes) else str(value)
