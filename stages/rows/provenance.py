"""Where rows come from: the raw files that they were read from, or the method of `augment` that generated them."""

from collections.abc import Iterable
from pathlib import Path


def source_files(ids: Iterable[str], sources: Path, parents: Path) -> dict[str, tuple[str, ...]]:
    """{id: sorted raw files of the row and of all rows that it was cleaned from}, names below the raw folder.

    Memory: one entry an id; each combination of files is held once.

    Args:
        sources: Parquet {id, file, line}, written by `ingest`.
        parents: Parquet {id, parent, rules}, written by `clean`.
    """
    from pyarrow import parquet

    files: dict[str, tuple[str, ...]] = dict.fromkeys(ids, ())
    descendants = _descendants(files, parents)
    combinations: dict[tuple[str, ...], tuple[str, ...]] = {}
    for batch in parquet.ParquetFile(sources).iter_batches(columns=["id", "file"]):
        for id, file in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            for row in (*([id] if id in files else ()), *descendants.get(id, ())):
                if file not in files[row]:
                    combination = tuple(sorted((*files[row], file)))
                    files[row] = combinations.setdefault(combination, combination)
    return files


def places(ids: Iterable[str], sources: Path, parents: Path) -> dict[str, list[str]]:
    """{id: sorted raw lines, file:line, of the row and of all rows that it was cleaned from}.

    Args:
        sources, parents: as those of `source_files`.
    """
    from pyarrow import parquet

    found: dict[str, set[tuple[str, int]]] = {id: set() for id in ids}
    descendants = _descendants(found, parents)
    for batch in parquet.ParquetFile(sources).iter_batches(columns=["id", "file", "line"]):
        for id, file, line in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            for row in (*([id] if id in found else ()), *descendants.get(id, ())):
                found[row].add((file, line))
    return {id: [f"{file}:{line}" for file, line in sorted(of_row)] for id, of_row in found.items()}


def augment_methods(parents: Path) -> dict[str, str]:
    """{id: method} of every row and attempt in the Parquet table `parents` of `augment`."""
    from pyarrow import parquet

    table = parquet.read_table(parents, columns=["id", "method"])
    return dict(zip(*(column.to_pylist() for column in table.columns), strict=True))


def _descendants(ids: Iterable[str], parents: Path) -> dict[str, list[str]]:
    """{earlier form of a row: those of `ids` that it became}."""
    from pyarrow import parquet

    parents_of: dict[str, list[str]] = {}
    for batch in parquet.ParquetFile(parents).iter_batches(columns=["id", "parent"]):
        for id, parent in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            parents_of.setdefault(id, []).append(parent)
    descendants: dict[str, list[str]] = {}
    for id in ids:
        for ancestor in _ancestors(id, parents_of):
            descendants.setdefault(ancestor, []).append(id)
    return descendants


def _ancestors(id: str, parents_of: dict[str, list[str]]) -> set[str]:
    """All earlier forms of a row, without the row itself; the table may have cycles."""
    ancestors: set[str] = set()
    queue = list(parents_of.get(id, ()))
    while queue:
        row = queue.pop()
        if row not in ancestors and row != id:
            ancestors.add(row)
            queue += parents_of.get(row, ())
    return ancestors
