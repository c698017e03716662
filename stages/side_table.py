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
    waiting: list[tuple[Any, ...]] = []
    groups = 0

    def write() -> None:
        nonlocal groups
        arrays = [pyarrow.array([line[i] for line in waiting], field.type) for i, field in enumerate(schema)]
        file.write_table(pyarrow.table(arrays, schema=schema))
        waiting.clear()
        groups += 1

    def add(line: tuple[Any, ...]) -> None:
        waiting.append(line)
        if len(waiting) == GROUP:
            write()

    with pyarrow.parquet.ParquetWriter(path, schema) as file:
        yield add
        if waiting or not groups:
            write()
