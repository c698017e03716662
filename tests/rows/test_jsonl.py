"""Files of rows: rows are read back sorted by id; a line that is no row is an error with its number."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmake.errors import UserError
from stages.rows import jsonl
from stages.rows.row import Row, Text, make_row
from tests.rows.contents import CHAT, PAIR, TOOL_CHAT

CONTENTS = st.sampled_from([CHAT, PAIR, TOOL_CHAT]) | st.builds(Text, st.text())
SPLITS = st.sampled_from(["", "train", "val", "test"])


@given(st.lists(st.builds(make_row, CONTENTS, SPLITS), unique_by=lambda row: row.id))
def test_written_rows_are_read_back_sorted_by_id(tmp_path_factory: pytest.TempPathFactory, rows: list[Row]) -> None:
    path = tmp_path_factory.getbasetemp() / "rows.jsonl"
    jsonl.write(path, rows)

    assert jsonl.read(path) == list(jsonl.iter_rows(path)) == sorted(rows, key=lambda row: row.id)


def test_the_order_of_rows_does_not_change_the_file(tmp_path: Path) -> None:
    rows = [make_row(Text(str(i))) for i in range(20)]
    jsonl.write(tmp_path / "a", rows)
    jsonl.write(tmp_path / "b", rows[::-1])

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b'{"id": "x"', "Input data was truncated"),
        (b'{"id": "x"}', "Object missing required field `content`"),
        (b'{"id": "x", "content": {"kind": "video"}}', "Invalid value 'video' - at `$.content.kind`"),
        (
            b'{"id": "x", "content": {"kind": "text", "text": "t"}, "split": "dev"}',
            "Invalid enum value 'dev' - at `$.split`",
        ),
    ],
)
def test_a_line_that_is_no_row_is_an_error_with_its_number(tmp_path: Path, line: bytes, problem: str) -> None:
    path = tmp_path / "rows.jsonl"
    jsonl.write(path, [make_row(CHAT)])
    path.write_bytes(path.read_bytes() + line + b"\n")

    with pytest.raises(UserError) as error:
        jsonl.read(path)

    assert str(error.value) == f"{path}:2: {problem}: want a canonical row; rebuild it with `dvc repro`"
