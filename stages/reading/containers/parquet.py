"""Parquet: a record a row; memory holds a row group, as Parquet wants it.

Dates, times and decimals become text, bytes become null: no format takes them. Objects within a row have the
fields that are not null, for in Parquet all have the fields of any.
"""

import io
from collections.abc import Iterator
from typing import Any, BinaryIO

from stages.reading.containers.record import Record, Unreadable

ROWS = 1024  # decoded at a time


def read(file: BinaryIO) -> Iterator[Record]:
    """The table's rows.

    Raises:
        Unreadable: this is no Parquet, or damaged.
    """
    import pyarrow
    import pyarrow.parquet

    if not isinstance(file, io.BufferedReader):
        raise Unreadable(" Parquet is compressed within, and is not read through another compression: unpack it")
    number = 0
    try:
        table = pyarrow.parquet.ParquetFile(file, pre_buffer=False)
        for batch in table.iter_batches(batch_size=ROWS):
            for value in batch.to_pylist(maps_as_pydicts="lossy"):
                number += 1
                yield Record(number, {name: _plain(item) for name, item in value.items()}, "")
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        why = " ".join(str(error).split())
        raise Unreadable(f"{number + 1}: no Parquet that can be read: {why}: fetch or write it again") from None


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items() if item is not None}  # no such field there
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return None if isinstance(value, bytes) else str(value)
