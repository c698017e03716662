"""Parquet tables: all rows are written, and an empty table keeps its types."""

from pathlib import Path

import pyarrow.parquet
import pytest

from stages.rows import parquet_table
from stages.rows.accounting import Drop

COLUMNS = {"id": str, "line": int}


@pytest.mark.parametrize("lines", [[], [("a", 1, 0.5), ("b", 2, 1.0)]])
def test_a_table_has_the_same_types_with_and_without_rows(tmp_path: Path, lines: list) -> None:
    parquet_table.write(tmp_path / "t", {"id": str, "line": int, "similarity": float}, lines)

    table = pyarrow.parquet.read_table(tmp_path / "t")
    assert [(f.name, str(f.type)) for f in table.schema] == [
        ("id", "string"),
        ("line", "int64"),
        ("similarity", "double"),
    ]
    assert [tuple(line.values()) for line in table.to_pylist()] == lines


def test_drops_are_written_sorted_by_reason(tmp_path: Path) -> None:
    parquet_table.write_drops(tmp_path / "d", [Drop("2", "b", ""), Drop("1", "b", "x"), Drop("3", "a", "")])

    drops = pyarrow.parquet.read_table(tmp_path / "d").to_pylist()
    assert [(d["id"], d["reason"], d["detail"]) for d in drops] == [("3", "a", ""), ("1", "b", "x"), ("2", "b", "")]


@pytest.mark.parametrize("count", [4, 5, 6])
def test_a_long_table_is_split_into_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(parquet_table, "ROW_GROUP_SIZE", 2)
    lines = [(f"{n:02}", n) for n in range(count)]
    parquet_table.write(tmp_path / "a", COLUMNS, lines)

    file = pyarrow.parquet.ParquetFile(tmp_path / "a")
    assert [tuple(line.values()) for line in file.read().to_pylist()] == lines
    assert file.num_row_groups == (count + 1) // 2
