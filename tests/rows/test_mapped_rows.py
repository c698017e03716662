"""Rows that are decoded on access equal those of the file."""

from pathlib import Path

import pytest

from modelmake.errors import UserError
from stages.rows import jsonl
from stages.rows.mapped_rows import ConcatenatedRows, MappedRows, RowTexts
from stages.rows.row import Text, make_row

ROWS = sorted((make_row(Text(text)) for text in ("one", "zwei – ü", "trois\nlignes")), key=lambda row: row.id)


@pytest.fixture
def mapped(tmp_path: Path) -> MappedRows:
    jsonl.write(tmp_path / "rows.jsonl", ROWS)
    return MappedRows(tmp_path / "rows.jsonl")


def test_rows_are_read_by_index_and_slice(mapped: MappedRows) -> None:
    assert list(mapped) == ROWS
    assert (len(mapped), mapped[-1], mapped[1:]) == (3, ROWS[2], ROWS[1:])
    with pytest.raises(IndexError):
        _ = mapped[3]


def test_lines_are_copied_unchanged_in_their_order(mapped: MappedRows, tmp_path: Path) -> None:
    mapped.write(tmp_path / "some", [2, 0])

    assert (tmp_path / "some").read_bytes() == mapped.line(0) + mapped.line(2)
    assert jsonl.read(tmp_path / "some") == [ROWS[0], ROWS[2]]


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    rows = MappedRows(tmp_path / "empty")
    rows.write(tmp_path / "copy", [])

    assert list(rows) == [] and (tmp_path / "copy").read_bytes() == b""


def test_concatenated_rows_are_read_by_index_and_slice(mapped: MappedRows) -> None:
    more = [make_row(Text("quattro"))]
    rows = ConcatenatedRows(mapped, more)

    assert list(rows) == [*ROWS, *more]
    assert (len(rows), rows[3], rows[-4], rows[1:]) == (4, more[0], ROWS[0], [*ROWS[1:], *more])
    with pytest.raises(IndexError):
        _ = rows[4]


def test_texts_are_those_of_the_rows_at_the_indices(mapped: MappedRows) -> None:
    texts = RowTexts(mapped, [2, 1], lambda row: row.content.text.upper())

    assert list(texts) == [ROWS[2].content.text.upper(), ROWS[1].content.text.upper()]


def test_a_line_that_is_no_row_is_an_error_with_its_number(mapped: MappedRows, tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_bytes(mapped.line(0) + b'{"id": 1}\n')

    with pytest.raises(UserError) as error:
        list(MappedRows(tmp_path / "bad.jsonl"))

    advice = "want a canonical row; rebuild it with `dvc repro`"
    assert str(error.value) == f"{tmp_path}/bad.jsonl:2: Expected `str`, got `int` - at `$.id`: {advice}"
