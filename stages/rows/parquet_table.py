"""Parquet tables about rows (sources, parents, drops), written in row groups."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from stages.rows.accounting import Drop

ROW_GROUP_SIZE = 1 << 17  # table rows


@contextlib.contextmanager
def writer(path: Path, columns: dict[str, type]) -> Iterator[Callable[[tuple[Any, ...]], None]]:
    """Context manager for writing a table; its value is a function that appends one table row.

    Memory holds one row group. An empty table keeps the types of its columns.

    Args:
        columns: {name: str, int or float}.
    """
    import pyarrow
    import pyarrow.parquet

    types = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64()}
    schema = pyarrow.schema([(name, types[kind]) for name, kind in columns.items()])
    pending: list[tuple[Any, ...]] = []
    groups_written = 0

    def flush() -> None:
        nonlocal groups_written
        arrays = [pyarrow.array([line[i] for line in pending], field.type) for i, field in enumerate(schema)]
        file.write_table(pyarrow.table(arrays, schema=schema))
        pending.clear()
        groups_written += 1

    def add(line: tuple[Any, ...]) -> None:
        pending.append(line)
        if len(pending) == ROW_GROUP_SIZE:
            flush()

    with pyarrow.parquet.ParquetWriter(path, schema) as file:
        yield add
        if pending or not groups_written:
            flush()


def write(path: Path, columns: dict[str, type], lines: Iterable[tuple[Any, ...]]) -> None:
    """Writes a table from its rows as tuples."""
    with writer(path, columns) as add:
        for line in lines:
            add(line)


def write_drops(path: Path, drops: Iterable[Drop]) -> None:
    """Writes dropped rows as {id, reason, detail}, sorted by reason, then id."""
    lines = sorted((drop.reason, drop.id, drop.detail) for drop in drops)
    write(path, {"id": str, "reason": str, "detail": str}, ((id, reason, detail) for reason, id, detail in lines))
