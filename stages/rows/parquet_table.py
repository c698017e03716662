"""Side tables as Parquet: what is told of rows, beside the rows."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from stages.rows.accounting import Drop

GROUP = 1 << 17  # lines of a row group


@contextlib.contextmanager
def writer(path: Path, columns: dict[str, type]) -> Iterator[Callable[[tuple[Any, ...]], None]]:
    """Gives what takes a line; memory holds a row group. A table without lines has its columns' types too."""
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


def write(path: Path, columns: dict[str, type], lines: Iterable[tuple[Any, ...]]) -> None:
    """Writes a table."""
    with writer(path, columns) as add:
        for line in lines:
            add(line)


def write_drops(path: Path, drops: Iterable[Drop]) -> None:
    """Writes dropped rows, sorted."""
    lines = sorted((drop.reason, drop.id, drop.detail) for drop in drops)
    write(path, {"id": str, "reason": str, "detail": str}, ((id, reason, detail) for reason, id, detail in lines))
