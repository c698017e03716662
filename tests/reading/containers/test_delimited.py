"""CSV: every line that a misplaced quote swallows is a broken record, and none is taken for a row."""

from pathlib import Path

import pytest

from modelmake.errors import UserError
from stages.reading.containers.record import Broken
from tests.reading.raw_files import read_text

A, B = {"text": "a"}, {"text": "b"}
QUOTE = "no CSV from line 3 on: "


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("too_few.csv", "text,n\na\nb,2\n", [(2, "1 fields: want 2: text, n", "a"), (3, {**B, "n": "2"}, "b,2")]),
        ("too_many.csv", "text\na,1\n", [(2, "2 fields: want 1: text", "a,1")]),
        (
            "quote_in_a_quote.csv",
            'text\na\n"b" c\nb\n',
            [(2, A, "a"), (3, f"{QUOTE}',' expected after '\"'", '"b" c'), (4, B, "b")],
        ),
        (  # the quote of line 3 goes on to that of line 5: which of them are rows is uncertain
            "open_quote.csv",
            'text\na\n"b\na\n"a"\nb\n',
            [
                (2, A, "a"),
                *((n, f"{QUOTE}',' expected after '\"'", line) for n, line in ((3, '"b'), (4, "a"), (5, '"a"'))),
                (6, B, "b"),
            ],
        ),
        (
            "open_to_the_end.csv",
            'text\r\na\r\n"b\r\na\r\n',
            [(2, A, "a"), (3, f"{QUOTE}unexpected end of data", '"b'), (4, f"{QUOTE}unexpected end of data", "a")],
        ),
    ],
)
def test_every_line_that_a_quote_swallows_is_broken_and_none_is_taken_for_a_row(
    tmp_path: Path, name: str, text: str, expected: list
) -> None:
    records = read_text(tmp_path, name, text)

    assert [(r.line, r.detail if isinstance(r, Broken) else r.value, r.text) for r in records] == expected
    assert {r.reason for r in records if isinstance(r, Broken)} <= {"broken_csv"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b,a\n1,2,3\n", ":1: columns a, b, a: want each name once; rename one"),
        ('\n"a" b\n1\n', ":2: ',' expected after '\"': want a line of column names"),
    ],
)
def test_a_csv_file_without_usable_column_names_is_one_error(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        read_text(tmp_path, "a.csv", text)

    assert str(error.value) == f"{tmp_path}/a.csv{message}"
