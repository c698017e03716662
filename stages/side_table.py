"""A side table as Parquet that is written while its lines come: memory holds a row group."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

GROUP = 1 << 17  # lines of a row group


@contextlib.contextmanager
def writer(path: Path, columns: dict[str, type]) -> Iterator[Callable[[tuple[Any, ...]], None]]:
    """Gives what takes a line. A table of up to GROUP lines has the bytes that `rows.write_table` gives it."""
    import pyarrow
    import pyarrow.parquet

    types = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64()}
    schema = pyarrow.schema([(name, types[kind]) for name, kind in columns.items()])
    waiting: list[list[Any]] = [[] for _ in columns]
    lines = 0

    def write() -> None:
        arrays = [pyarrow.array(values, field.type) for values, field in zip(waiting, schema, strict=True)]
        file.write_table(pyarrow.table(arrays, schema=schema))
        for values in waiting:
            values.clear()

    def add(line: tuple[Any, ...]) -> None:
        nonlocal lines
        lines += 1
        for values, value in zip(waiting, line, strict=True):
            values.append(value)
        if len(waiting[0]) == GROUP:
            write()

    with pyarrow.parquet.ParquetWriter(path, schema) as file:
        yield add
        if waiting[0] or not lines:
            write()
