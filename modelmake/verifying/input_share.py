"""A small share of a stage's inputs: some rows of each table, and all other files whole.

Tables are known by their suffix and columns (docs/decisions/0014): a JSONL file is cut, and a Parquet file without a
column `id`. One with `id` holds facts about rows of another table, which are looked up, and stays whole.

A share by hash would hardly ever have both rows of a pair that are alike, and few that are dropped. So some rows are in
it because the stage's recorded outputs name them: what a line of such a table names is chosen together.
"""

import heapq
import json
from collections.abc import Collection, Iterable
from hashlib import blake2b
from pathlib import Path
from typing import Any

from modelmake.running import work_store

Share = tuple[int, int]  # rows of a table that were taken, and that it has


def named_together(tables: Iterable[Path], rows: int) -> set[str]:
    """The texts, ids among them, in some lines of Parquet tables with an `id`: a tenth of `rows`, by its hash."""
    import pyarrow
    import pyarrow.parquet

    files = [table for table in tables if has_ids(table)]
    texts: set[str] = set()
    for file in files:
        table = pyarrow.parquet.read_table(file)
        ranks = [(_rank(id), number) for number, id in enumerate(table["id"].to_pylist())]
        chosen = heapq.nsmallest(max(1, rows // 10 // len(files)), ranks)
        for line in table.take(pyarrow.array([number for _, number in chosen], pyarrow.int64())).to_pylist():
            texts |= {value for value in line.values() if isinstance(value, str)}
    return texts


def take(source: Path, target: Path, rows: int, named: Collection[str] = ()) -> Share | None:
    """Writes about `rows` rows of a table to `target`; None for any other file, of which `target` is a hard link.

    Rows with an `id` are chosen if it is `named`, the rest by its hash, so that tables of the same rows keep the same
    ones; others at equal distances. Their order stays.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix == ".jsonl":
        return _jsonl(source, target, rows, named)
    if source.suffix == ".parquet" and (share := _parquet(source, target, rows)):
        return share
    work_store.link_or_copy(source, target)
    return None


def has_ids(table: Path) -> bool:
    """True for a Parquet table with a column `id`."""
    import pyarrow.parquet

    return "id" in pyarrow.parquet.read_schema(table).names


def ids(file: Path) -> list[str]:
    """The ids of the rows of a JSONL table that have one."""
    with file.open("rb") as lines:
        return [id for line in lines if isinstance(id := _id(line), str)]


def _jsonl(source: Path, target: Path, rows: int, named: Collection[str]) -> Share:
    with source.open("rb") as lines:
        chosen, total = _chosen((_id(line) for line in lines), rows, named)
    with source.open("rb") as lines, target.open("wb") as written:
        written.writelines(line for number, line in enumerate(lines) if number in chosen)
    return len(chosen), total


def _parquet(source: Path, target: Path, rows: int) -> Share | None:
    import pyarrow.parquet

    if has_ids(source):
        return None
    table = pyarrow.parquet.read_table(source)
    chosen, total = _chosen([None] * table.num_rows, rows)
    pyarrow.parquet.write_table(table.take(sorted(chosen)), target)
    return len(chosen), total


def _id(line: bytes) -> Any:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row.get("id") if isinstance(row, dict) else None


def _rank(id: Any) -> bytes:
    return blake2b(json.dumps(id, default=str).encode(), digest_size=8).digest()


def _chosen(ids: Iterable[Any], rows: int, named: Collection[str] = ()) -> tuple[set[int], int]:
    """The numbers of the chosen rows, and the number of all. Rows of one id are chosen together."""
    ranks = [None if id is None else b"" if isinstance(id, str) and id in named else _rank(id) for id in ids]
    if len(ranks) <= rows:
        return {*range(len(ranks))}, len(ranks)
    if None in ranks:
        return {number * len(ranks) // rows for number in range(rows)}, len(ranks)
    last = heapq.nsmallest(rows, ranks)[-1]
    return {number for number, rank in enumerate(ranks) if rank <= last}, len(ranks)
