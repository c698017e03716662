"""Which raw files rows came from, or by which method a model made them."""

from collections.abc import Iterable
from pathlib import Path


def files(ids: Iterable[str], sources: Path, parents: Path) -> dict[str, tuple[str, ...]]:
    """{id: the raw files that it, or a row that it was before, stands in}, sorted; below the folder of raw data.

    `sources` and `parents` are the tables of ingest and clean. Memory: an entry for each id; each combination of files
    is kept once.
    """
    from pyarrow import parquet

    found: dict[str, tuple[str, ...]] = dict.fromkeys(ids, ())
    earlier: dict[str, list[str]] = {}  # changed row -> what it was
    for batch in parquet.ParquetFile(parents).iter_batches(columns=["id", "parent"]):
        for id, parent in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            earlier.setdefault(id, []).append(parent)
    later: dict[str, list[str]] = {}  # row that was changed -> those of `ids` that it became
    for id in found:
        for parent in _before(id, earlier):
            later.setdefault(parent, []).append(id)
    known: dict[tuple[str, ...], tuple[str, ...]] = {}
    for batch in parquet.ParquetFile(sources).iter_batches(columns=["id", "file"]):
        for id, file in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            for row in (*([id] if id in found else ()), *later.get(id, ())):
                if file not in found[row]:
                    both = tuple(sorted((*found[row], file)))
                    found[row] = known.setdefault(both, both)
    return found


def methods(parents: Path) -> dict[str, str]:
    """{id: method} of the rows and attempts in the table of augment."""
    from pyarrow import parquet

    table = parquet.read_table(parents, columns=["id", "method"])
    return dict(zip(*(column.to_pylist() for column in table.columns), strict=True))


def _before(id: str, earlier: dict[str, list[str]]) -> set[str]:
    """All that a row was before, it aside."""
    seen: set[str] = set()
    queue = list(earlier.get(id, ()))
    while queue:
        row = queue.pop()
        if row not in seen and row != id:
            seen.add(row)
            queue += earlier.get(row, ())
    return seen
