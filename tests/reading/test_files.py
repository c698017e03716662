"""Files to records: every record with its line, every unreadable file with one clear error, nothing else raised."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelmake.errors import UserError
from stages.params.data import Files
from stages.reading.containers.record import Broken, Record
from stages.reading.files import KNOWN, files, read


def read_bytes(tmp_path: Path, name: str, content: bytes) -> list[Record | Broken]:
    path = tmp_path / name
    path.write_bytes(content)
    return list(read(path, name))


def read_text(tmp_path: Path, name: str, text: str) -> list[Record | Broken]:
    return read_bytes(tmp_path, name, text.encode())


A, B = {"text": "a"}, {"text": "b"}


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("array.json", '[\n{"text": "a"},\n\n{"text": "b"}]', [(2, A), (4, B)]),
        ("one_line.json", '[{"text": "a"}, {"text": "b"}]', [(1, A), (1, B)]),
        ("pretty.json", '[\n  {\n    "text":\n      "a"\n  },\n  {\n    "text": "b"\n  }\n]\n', [(2, A), (6, B)]),
        ("crlf.json", '[\r\n{"text": "a"},\r\n{"text": "b"}\r\n]\r\n', [(2, A), (3, B)]),
        ("bom.json", '\ufeff[{"text": "a"}]', [(1, A)]),
        ("comma_at_end.json", '[{"text": "a"},]', [(1, A)]),
        ("lines.jsonl", '{"text": "a"}\n{"text": "b"}', [(1, A), (2, B)]),
        ("blank_lines.jsonl", '\n{"text": "a"}\n \t\n{"text": "b"}\n\n', [(2, A), (4, B)]),
        ("crlf.jsonl", '{"text": "a"}\r\n\r\n{"text": "b"}\r\n', [(1, A), (3, B)]),
        ("bom.jsonl", '\ufeff{"text": "a"}\n', [(1, A)]),
        ("separator.jsonl", '{"text": "\u2028"}\n{"text": "b"}', [(1, {"text": "\u2028"}), (2, B)]),
        ("paragraphs.txt", "a\n\n\nb", [(1, A), (4, B)]),
        ("two_lines.txt", "\n one \ntwo\t\n \nb\n", [(2, {"text": " one\ntwo"}), (5, B)]),
        ("bom_crlf.txt", "\ufeffa\r\n\r\nb\r\n", [(1, A), (3, B)]),
        ("blank.txt", "\n \n\t", []),
        ("lines.csv", "text\na\nb", [(2, A), (3, B)]),
        ("blank_lines.csv", "\n\ntext\n\na\n \nb\n", [(5, A), (7, B)]),
        ("crlf.csv", "text\r\na\r\nb\r\n", [(2, A), (3, B)]),
        ("bom.csv", "\ufefftext\na\n", [(2, A)]),
        ("quoted_names.csv", '"text"\n"a"\n', [(2, A)]),
        ("newlines.csv", 'text\n"a\n\nb"\nb\n', [(2, {"text": "a\n\nb"}), (5, B)]),
        ("commas.csv", 'text,n\n"a, ""b""",\nb,2\n', [(2, {"text": 'a, "b"', "n": ""}), (3, {**B, "n": "2"})]),
        ("empty_fields.csv", "text,n\n,\n", [(2, {"text": "", "n": ""})]),
        ("separator.csv", "text\na\u2028\nb", [(2, {"text": "a\u2028"}), (3, B)]),
        ("no_rows.csv", "text\n", []),
        ("empty.csv", "", []),
    ],
)
def test_every_record_has_the_line_it_begins_on(tmp_path: Path, name: str, text: str, expected: list) -> None:
    assert [(r.line, r.value) for r in read_text(tmp_path, name, text)] == expected


def test_an_object_of_splits_gives_each_record_its_split(tmp_path: Path) -> None:
    text = (
        '{"oos_train": [["hi", "greet"]],\n"validation": [],\n"test": [\n["bye", "leave"]], "latest": [{"text": "a"}]}'
    )

    assert read_text(tmp_path, "splits.json", text) == [
        Record(1, {"text": "hi", "label": "greet"}, '["hi", "greet"]', "train"),
        Record(4, {"text": "bye", "label": "leave"}, '["bye", "leave"]', "test"),
        Record(4, A, '{"text": "a"}', ""),  # `latest` names no split
    ]


@pytest.mark.parametrize(
    ("name", "split"),
    [("train", "train"), ("val", "val"), ("validation", "val"), ("x_dev", "val"), ("oos_test", "test"), ("data", "")],
)
def test_the_name_of_an_array_tells_the_split(tmp_path: Path, name: str, split: str) -> None:
    assert [r.split for r in read_text(tmp_path, "a.json", json.dumps({name: [A, B]}))] == [split, split]


@pytest.mark.parametrize(
    ("name", "split"),
    [("train.csv", "train"), ("my_test.csv", "test"), ("validation.csv", "val"), ("contest.csv", ""), ("data.csv", "")],
)
def test_the_name_of_a_file_tells_the_split(tmp_path: Path, name: str, split: str) -> None:
    assert [r.split for r in read_text(tmp_path, name, "text\na\n")] == [split]


def test_what_a_file_says_wins_over_its_name(tmp_path: Path) -> None:
    text = json.dumps({"dev": [A], "rest": [B]})

    assert [r.split for r in read_text(tmp_path, "train.json", text)] == ["val", "train"]


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
        (  # the quote of line 3 goes on to that of line 5: what of them is a row, nobody can tell
            "open_quote.csv",
            'text\na\n"b\na\n"a"\nb\n',
            [
                (2, A, "a"),
                *((n, f"{QUOTE}',' expected after '\"'", found) for n, found in ((3, '"b'), (4, "a"), (5, '"a"'))),
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
def test_every_line_of_broken_csv_is_told_and_none_is_taken_for_a_row(
    tmp_path: Path, name: str, text: str, expected: list
) -> None:
    found = read_text(tmp_path, name, text)

    told = [
        (f.line, f.why, f.found) if isinstance(f, Broken) else (f.line, f.value, f.text) for f in found
    ]  # fmt: skip
    assert told == expected
    assert {f.reason for f in found if isinstance(f, Broken)} <= {"broken_csv"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b,a\n1,2,3\n", ":1: columns a, b, a: want each name once; rename one"),
        ('\n"a" b\n1\n', ":2: ',' expected after '\"': want a line of column names"),
    ],
)
def test_a_csv_file_without_usable_column_names_is_one_error(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError) as told:
        read_text(tmp_path, "a.csv", text)

    assert str(told.value) == f"{tmp_path}/a.csv{message}"


def test_a_record_keeps_its_text_as_the_file_has_it(tmp_path: Path) -> None:
    assert [r.text for r in read_text(tmp_path, "a.json", '[{ "text":"a" } , 7]')[:1]] == ['{ "text":"a" }']
    assert [r.text for r in read_text(tmp_path, "a.jsonl", '{ "text":"\\u0061" }\n')] == ['{ "text":"\\u0061" }']


WANTED = 'want an array of records, or an object of splits such as {"train": [[text, label], …]}'
NAME = "Expecting property name enclosed in double quotes"
CUT = "Unterminated string starting at: line 3 column 2 (char 32)"


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("cut_in_a_record.json", '[{"text": "a"},\n{"text": "b"},\n{"te', [(1, A), (2, B), (3, CUT)]),
        ("cut_after_a_comma.json", '[{"text": "a"},\n', [(1, A), (2, "Expecting value: line 2 column 1 (char 16)")]),
        ("cut_after_a_record.json", '[{"text": "a"}\n', [(1, A), (2, "the file ends before its ]")]),
        ("cut_object.json", '{"val": [{"text": "a"}]', [(1, A), (1, "Expecting value: line 1 column 24 (char 23)")]),
        ("no_comma.json", '[{"text": "a"}\n{"text": "b"}]', [(1, A), (2, "want , or ]")]),
        ("two_arrays.json", '[{"text": "a"}]\n["b"]', [(1, A), (2, "more text after the document's end")]),
        ("two_ends.json", '{"val": [{"text": "a"}]}\n}', [(1, A), (2, "more text after the document's end")]),
        ("no_name.json", '{[1]: [{"text": "a"}]}', [(1, WANTED)]),
        ("one_record.json", ' {"text": "a"}', [(1, WANTED)]),
        ("empty.json", "", [(1, WANTED)]),
        ("number.json", "\n3\n", [(2, WANTED)]),
        ("line.jsonl", '{"text": "a"}\n{\n{"text": "b"}', [(1, A), (2, f"{NAME}: line 1 column 2 (char 1)"), (3, B)]),
    ],
)
def test_broken_json_is_told_with_its_line_and_the_rest_is_kept(
    tmp_path: Path, name: str, text: str, expected: list
) -> None:
    found = read_text(tmp_path, name, text)

    assert [(f.line, f.why.removeprefix("no JSON: ") if isinstance(f, Broken) else f.value) for f in found] == expected


def test_what_is_broken_is_shown_as_the_file_has_it(tmp_path: Path) -> None:
    array = read_text(tmp_path, "a.json", '[1,\n"b", ["c"], {"text": "a"} {"text":\n')
    lines = read_text(tmp_path, "a.jsonl", '["a", "b"]\n{"text": \n')

    assert [f.found for f in array if isinstance(f, Broken)] == ["1", '"b"', '["c"]', '{"text":\n']
    assert [f.found for f in lines] == ['["a", "b"]', '{"text": ']


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_deep_nesting_is_broken_json(tmp_path: Path, name: str) -> None:
    [broken] = read_text(tmp_path, name, "[" * 100_000)

    assert (broken.line, broken.why[:44]) == (1, "no JSON: maximum recursion depth exceeded wh")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a".encode("utf-16"), ": is UTF-16: want UTF-8; `iconv -f UTF-16 -t UTF-8` converts it"),
        (b"\xfe\xff\0a", ": is UTF-16: want UTF-8; `iconv -f UTF-16 -t UTF-8` converts it"),
        (b"ab\0c", ": byte 2 is NUL, so this is no text: want UTF-8 text; move it elsewhere"),
        (b"a\nb\ncaf\xe9 \n", ":3: byte 0xe9 is not UTF-8: save the file as UTF-8"),
    ],
)
@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.csv", "a.txt"])
def test_a_file_that_is_no_utf8_text_is_one_error(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    with pytest.raises(UserError) as told:
        read_bytes(tmp_path, name, content)

    assert str(told.value) == f"{tmp_path / name}{message}"


def test_files_are_found_in_subfolders_in_order_without_hidden_ones_and_those_of_dvc(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("z.txt", "b/a.jsonl", "a.json", ".DS_Store", "a.json.dvc"):
        (tmp_path / name).touch()

    assert [(f.path, f.name) for f in files(tmp_path, [])] == [
        (tmp_path / name, name) for name in ("a.json", "b/a.jsonl", "z.txt")
    ]
    assert [(f.path, f.name) for f in files(tmp_path / "z.txt", [])] == [(tmp_path / "z.txt", "z.txt")]


def test_a_folder_without_files_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError) as told:
        files(tmp_path, [])

    assert str(told.value) == f"{tmp_path}: no files: want rows as {KNOWN}; put them there"


def test_files_that_no_reader_knows_are_all_named(tmp_path: Path) -> None:
    for name in ("a.xls", "b.txt", "rows", "c.jsonl.gz", "d.zip.gz"):
        (tmp_path / name).touch()

    with pytest.raises(UserError) as told:
        files(tmp_path, [])

    advice = f"want one of {KNOWN}; convert it, move it elsewhere, or name the files to read in ingest.files"
    assert str(told.value) == (
        f"{tmp_path}/a.xls: suffix .xls: {advice}\n{tmp_path}/d.zip.gz: suffix .gz: {advice}\n"
        f"{tmp_path}/rows: suffix (none): {advice}"
    )


def test_the_first_glob_that_fits_tells_of_a_file_and_others_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("a.csv", "b/a.csv", "b/c.jsonl", "d.xls"):
        (tmp_path / name).touch()
    told = [Files("b/*.csv", "qa", None), Files("*.csv", None, {"text": "body"})]

    assert [(f.name, f.told) for f in files(tmp_path, told)] == [("a.csv", told[1]), ("b/a.csv", told[0])]


def test_a_glob_that_no_file_fits_is_an_error_that_says_what_there_is(tmp_path: Path) -> None:
    for number in range(7):
        (tmp_path / f"{number}.csv").touch()

    with pytest.raises(UserError) as told:
        files(tmp_path, [Files("*.csv", None, None), Files("x*", None, None)])

    assert str(told.value) == (
        f"ingest.files[1].glob = 'x*': fits no file that is left below {tmp_path}: want one of 0.csv, 1.csv, "
        "2.csv, 3.csv, 4.csv and 2 more"
    )


PIECES = st.sampled_from(
    [*'[]{},:"\\\n\r\t ', "null", "NaN", "1e999", '"train"', '"text"', "\ufeff", "\ud7ff", "é", "\\ud800"]
)


@settings(max_examples=300)
@given(text=st.text() | st.lists(PIECES).map("".join), suffix=st.sampled_from([".json", ".jsonl", ".csv", ".txt"]))
def test_any_text_is_read_or_told_and_every_line_is_in_the_file(
    tmp_path_factory: pytest.TempPathFactory, text: str, suffix: str
) -> None:
    try:
        found = read_text(tmp_path_factory.getbasetemp(), f"fuzz{suffix}", text)
    except UserError:
        assert "\0" in text or suffix == ".csv"
    else:
        assert all(1 <= f.line <= text.count("\n") + 1 for f in found)


@settings(max_examples=100)
@given(content=st.binary(), suffix=st.sampled_from([".json", ".jsonl", ".csv", ".txt"]))
def test_any_bytes_are_read_or_told(tmp_path_factory: pytest.TempPathFactory, content: bytes, suffix: str) -> None:
    try:
        read_bytes(tmp_path_factory.getbasetemp(), f"fuzz{suffix}", content)
    except UserError as error:
        assert "\n" not in str(error)


@given(
    st.lists(st.dictionaries(st.text(max_size=3), st.integers() | st.text()), max_size=4), st.sampled_from([None, 1])
)
def test_every_element_of_an_array_is_read(tmp_path_factory: pytest.TempPathFactory, values: list, indent: int) -> None:
    found = read_text(tmp_path_factory.getbasetemp(), "array.json", json.dumps(values, indent=indent))

    assert [r.value for r in found] == values
