"""CSV: every line that a misplaced quote swallows is a broken record, and none is taken for a row."""

from pathlib import Path

import pytest

from modelmake.errors import UserError
from stages.reading.containers.record import Broken
from tests.reading.raw_files import read_text, read_told

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


SEMICOLON, TAB, BAR = (f"{sign} separates its columns" for sign in ("a semicolon", "a tab", "a bar"))


@pytest.mark.parametrize(
    ("text", "value", "told"),
    [
        ('text;label\n"a, b; c";x\n', {"text": "a, b; c", "label": "x"}, [SEMICOLON]),
        ("\n\ufefftext;label\r\na;x\r\n".strip("\n"), {"text": "a", "label": "x"}, [SEMICOLON]),
        ('"the text";"label"\na;x\n', {"the text": "a", "label": "x"}, [SEMICOLON]),
        ("text\tlabel\na\tx\n", {"text": "a", "label": "x"}, [TAB]),
        ("text|label\na|x\n", {"text": "a", "label": "x"}, [BAR]),
        ("sep=;\ntext;label\na;x\n", {"text": "a", "label": "x"}, []),
        ("text,note;x\na,b\n", {"text": "a", "note;x": "b"}, []),
        ("text (raw; uncut)\na; b\n", {"text (raw; uncut)": "a; b"}, []),
    ],
)
def test_the_delimiter_is_the_sign_that_separates_the_names(
    tmp_path: Path, text: str, value: dict, told: list[str]
) -> None:
    [record], notes = read_told(tmp_path, "a.csv", text)

    assert (record.value, record.line, notes) == (value, len(text.splitlines()), told)


def test_a_quoted_field_of_tsv_holds_tabs_and_newlines(tmp_path: Path) -> None:
    [record] = read_text(tmp_path, "a.tsv", 'question\tanswer\nq\t"a\tb\nc"\n')

    assert (record.line, record.value) == (2, {"question": "q", "answer": "a\tb\nc"})


def test_the_delimiter_of_tsv_is_found_too(tmp_path: Path) -> None:
    [record], notes = read_told(tmp_path, "a.tsv", "text,label\na,x\n")

    assert (record.value, notes) == ({"text": "a", "label": "x"}, ["a comma separates its columns"])


@pytest.mark.parametrize(
    ("text", "values", "told"),
    [
        (",text\n0,a\n7,b\n", [A, B], "column 1"),
        ("Unnamed: 0,text\n0,a\n1,b\n", [A, B], "Unnamed: 0"),
        ("text,Unnamed: 0.1\na,5\nb,3\n", [A, B], "Unnamed: 0.1"),
        (",text\nx,a\n", [{"column 1": "x", **A}], None),  # no number: told as a field that nothing reads
        ("text,,\na,,\n", [A], None),
        ("text,\na,5\n", [{**A, "column 2": "5"}], None),
    ],
)
def test_the_index_that_pandas_writes_is_no_field(
    tmp_path: Path, text: str, values: list[dict], told: str | None
) -> None:
    records, notes = read_told(tmp_path, "a.csv", text)

    assert [record.value for record in records] == values
    assert notes == ([f"the numbers in its column {told!r} are left out, as the index of pandas"] if told else [])


def test_a_table_that_pandas_writes_is_read_as_it_was(tmp_path: Path) -> None:
    import pandas

    frame = pandas.DataFrame([{"text": 'a, b\n"c"', "label": "x"}, {"text": "d", "label": "y"}], index=[3, 11])
    frame.to_csv(tmp_path / "a.csv")

    records = read_text(tmp_path, "b.csv", (tmp_path / "a.csv").read_text())

    assert [record.value for record in records] == frame.to_dict(orient="records")
