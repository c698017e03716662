"""Rows that stay in their file are those that are in it."""

from pathlib import Path

import pytest

from modelmake.errors import UserError
from stages.rows import jsonl
from stages.rows.mapped_rows import Joined, Stored, Texts
from stages.rows.row import Text, make_row

ROWS = sorted((make_row(Text(text)) for text in ("one", "zwei – ü", "trois\nlignes")), key=lambda row: row.id)


@pytest.fixture
def stored(tmp_path: Path) -> Stored:
    jsonl.write(tmp_path / "rows.jsonl", ROWS)
    return Stored(tmp_path / "rows.jsonl")


def test_every_row_is_there_by_its_place(stored: Stored) -> None:
    assert list(stored) == ROWS
    assert (len(stored), stored[-1], stored[1:]) == (3, ROWS[2], ROWS[1:])
    with pytest.raises(IndexError):
        _ = stored[3]


def test_rows_are_written_as_they_are_in_their_order(stored: Stored, tmp_path: Path) -> None:
    stored.write(tmp_path / "some", [2, 0])

    assert (tmp_path / "some").read_bytes() == stored.line(0) + stored.line(2)
    assert jsonl.read(tmp_path / "some") == [ROWS[0], ROWS[2]]


def test_an_empty_file_has_none(tmp_path: Path) -> None:
    (tmp_path / "none").touch()
    found = Stored(tmp_path / "none")
    found.write(tmp_path / "copy", [])

    assert list(found) == [] and (tmp_path / "copy").read_bytes() == b""


def test_more_rows_follow_those_of_the_file(stored: Stored) -> None:
    more = [make_row(Text("quattro"))]
    joined = Joined(stored, more)

    assert list(joined) == [*ROWS, *more]
    assert (len(joined), joined[3], joined[1:]) == (4, more[0], [*ROWS[1:], *more])
    with pytest.raises(IndexError):
        _ = joined[4]


def test_texts_are_made_of_the_rows_that_are_named(stored: Stored) -> None:
    texts = Texts(stored, [2, 1], lambda row: row.content.text.upper())

    assert list(texts) == [ROWS[2].content.text.upper(), ROWS[1].content.text.upper()]


def test_a_line_that_is_no_row_is_told_with_its_number(stored: Stored, tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_bytes(stored.line(0) + b'{"id": 1}\n')
    found = Stored(tmp_path / "bad.jsonl")

    with pytest.raises(UserError) as error:
        list(found)
    wanted = "want a canonical row; rebuild it with `dvc repro`"
    assert str(error.value) == f"{tmp_path}/bad.jsonl:2: Expected `str`, got `int` - at `$.id`: {wanted}"
