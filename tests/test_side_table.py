"""A table written as its lines come is the table that is written at once."""

from pathlib import Path

import pyarrow.parquet
import pytest

from stages import rows, side_table

COLUMNS = {"id": str, "line": int}


@pytest.mark.parametrize("count", [0, 1, 5, 6])
def test_bytes_are_those_of_a_table_written_at_once(tmp_path: Path, count: int) -> None:
    lines = [(f"{n:02}", n) for n in range(count)]
    with side_table.writer(tmp_path / "a", COLUMNS) as add:
        for line in lines:
            add(line)
    rows.write_table(tmp_path / "b", COLUMNS, lines)

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("count", [4, 5, 6])
def test_a_long_table_has_row_groups_and_all_its_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(side_table, "GROUP", 2)
    lines = [(f"{n:02}", n) for n in range(count)]
    with side_table.writer(tmp_path / "a", COLUMNS) as add:
        for line in lines:
            add(line)

    found = pyarrow.parquet.ParquetFile(tmp_path / "a")
    assert [tuple(line.values()) for line in found.read().to_pylist()] == lines
    assert found.num_row_groups == (count + 1) // 2
