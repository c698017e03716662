"""Raw files: which are read, and the line, split and text of each record; an unreadable file is one error."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelmake.errors import UserError
from stages.params.data import FileRule
from stages.reading.containers.record import Record
from stages.reading.files import SUFFIXES_TEXT, list_files, read, split_note, split_of_name
from tests.reading.raw_files import read_bytes, read_text

NOT_UTF8 = "is not UTF-8: save the file as UTF-8; `iconv -f WINDOWS-1252 -t UTF-8` converts what Windows often writes"
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
def test_the_name_of_an_array_gives_the_split(tmp_path: Path, name: str, split: str) -> None:
    assert [r.split for r in read_text(tmp_path, "a.json", json.dumps({name: [A, B]}))] == [split, split]


@pytest.mark.parametrize(
    ("name", "split"),
    [("train.csv", "train"), ("my_test.csv", "test"), ("validation.csv", "val"), ("contest.csv", ""), ("data.csv", "")],
)
def test_the_name_of_a_file_gives_the_split(tmp_path: Path, name: str, split: str) -> None:
    assert [r.split for r in read_text(tmp_path, name, "text\na\n")] == [split]


@pytest.mark.parametrize(
    ("name", "split", "notes"),
    [
        ("train/0000.csv", "train", []),
        ("test/0000.csv", "test", ["all of it is test, by 'test' in its name"]),
        ("x/test-gen/deep/0000.csv", "test", ["all of it is test, by 'test' in its name"]),
        ("eval/train-1.csv", "train", []),
        ("squad-test.csv", "test", ["all of it is test, by 'test' in its name"]),
        ("my.valid.csv.gz", "val", ["all of it is val, by 'valid' in its name"]),
        ("x/test.csv", "test", []),
        ("docs/testing/evaluation.md", "", []),
        ("docs/test/a.md", "test", ["all of it is test, by 'test' in its name"]),
        ("my_test.md", "test", ["all of it is test, by 'test' in its name"]),
        ("how-to-test.md", "", []),
        ("my-dev.hub.json/data/part-0.csv", "", []),  # the name of a pin is no name of a split
        ("my-dev.hub.json/train/part-0.csv", "train", []),
    ],
)
def test_the_nearest_folder_gives_the_split_where_the_file_does_not_and_what_is_not_plain_is_told(
    tmp_path: Path, name: str, split: str, notes: list[str]
) -> None:
    path = tmp_path / f"a{Path(name.removesuffix('.gz')).suffix}"
    path.write_text("text\na\n", "utf-8")

    assert {record.split for record in read(path, name)} == {split}
    assert (split_of_name(name).split, split_note(name)) == (split, notes)


def test_a_split_in_the_file_wins_over_that_of_its_name(tmp_path: Path) -> None:
    text = json.dumps({"dev": [A], "rest": [B]})

    assert [r.split for r in read_text(tmp_path, "train.json", text)] == ["val", "train"]


def test_a_record_has_the_text_of_the_file(tmp_path: Path) -> None:
    assert [r.text for r in read_text(tmp_path, "a.json", '[{ "text":"a" } , 7]')[:1]] == ['{ "text":"a" }']
    assert [r.text for r in read_text(tmp_path, "a.jsonl", '{ "text":"\\u0061" }\n')] == ['{ "text":"\\u0061" }']


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a".encode("utf-16"), ": is UTF-16: want UTF-8; `iconv -f UTF-16 -t UTF-8` converts it"),
        (b"\xfe\xff\0a", ": is UTF-16: want UTF-8; `iconv -f UTF-16 -t UTF-8` converts it"),
        (b"ab\0c", ": byte 2 is NUL, so this is no text: want UTF-8 text; move it elsewhere"),
        (b"a\nb\ncaf\xe9 \n", f":3: byte 0xe9 {NOT_UTF8}"),
    ],
)
@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.csv", "a.txt"])
def test_a_file_that_is_no_utf8_text_is_one_error(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    with pytest.raises(UserError) as error:
        read_bytes(tmp_path, name, content)

    assert str(error.value) == f"{tmp_path / name}{message}"


def test_files_of_subfolders_are_listed_in_order_without_hidden_ones_and_those_of_dvc(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("z.txt", "b/a.jsonl", "a.json", ".DS_Store", "a.json.dvc"):
        (tmp_path / name).touch()

    assert [(f.path, f.name) for f in list_files(tmp_path, []).files] == [
        (tmp_path / name, name) for name in ("a.json", "b/a.jsonl", "z.txt")
    ]
    assert [(f.path, f.name) for f in list_files(tmp_path / "z.txt", []).files] == [(tmp_path / "z.txt", "z.txt")]


def test_a_folder_without_files_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        list_files(tmp_path, [])

    assert str(error.value) == f"{tmp_path}: no files: want rows as {SUFFIXES_TEXT}; put them there"


def test_all_files_without_a_reader_are_named(tmp_path: Path) -> None:
    for name in ("a.xls", "b.txt", "rows", "c.jsonl.gz", "d.zip.gz"):
        (tmp_path / name).touch()

    with pytest.raises(UserError) as error:
        list_files(tmp_path, [])

    want, advice = f"want one of {SUFFIXES_TEXT}", "move it elsewhere, or name the files to read in ingest.files"
    assert str(error.value) == (
        f"{tmp_path}/a.xls: suffix .xls: {want}; convert it (a spreadsheet saves CSV in UTF-8), {advice}\n"
        f"{tmp_path}/d.zip.gz: suffix .gz: {want}; convert it, {advice}\n"
        f"{tmp_path}/rows: suffix (none): {want}; convert it, {advice}"
    )


ABOUT = "about the data, by name"


def test_texts_about_the_data_are_left_out_and_told(tmp_path: Path) -> None:
    about = [
        "CITATION.cff",
        "LICENSE",
        "LICENSE.txt",
        "README.md",
        "dataset_infos.json",
        "sub/COPYRIGHT",
        "x.csv.sha256",
    ]
    (tmp_path / "sub").mkdir()
    (tmp_path / ".cache").mkdir()
    for name in (*about, "a.csv", "licenses.csv", "notices.txt", ".gitignore", ".gitattributes", ".cache/a.metadata"):
        (tmp_path / name).touch()

    listed, left_out = list_files(tmp_path, [])

    assert [file.name for file in listed] == ["a.csv", "licenses.csv", "notices.txt"]
    assert left_out == dict.fromkeys(about, ABOUT)


def test_a_text_about_the_data_is_read_if_it_is_named(tmp_path: Path) -> None:
    for name in ("README.md", "LICENSE.txt", "a.txt"):
        (tmp_path / name).touch()

    def names(*globs: str, documents: bool = False) -> list[str]:
        rules = [FileRule(glob, None, None, []) for glob in globs]
        return [file.name for file in list_files(tmp_path, rules, documents).files]

    assert names("*") == ["a.txt"]
    assert names("*", documents=True) == ["README.md", "a.txt"]
    assert names("LICENSE.txt", "*") == ["LICENSE.txt", "a.txt"]
    assert [file.name for file in list_files(tmp_path / "LICENSE.txt", []).files] == ["LICENSE.txt"]


def test_a_folder_of_texts_about_data_alone_has_none(tmp_path: Path) -> None:
    (tmp_path / "README.md").touch()

    with pytest.raises(UserError) as error:
        list_files(tmp_path, [])

    assert str(error.value) == (
        f"{tmp_path}: no files of data: found README.md ({ABOUT}): want rows as {SUFFIXES_TEXT}; put them there"
    )


def test_the_first_rule_that_matches_applies_and_other_files_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("a.csv", "b/a.csv", "b/c.jsonl", "d.xls"):
        (tmp_path / name).touch()
    rules = [FileRule("b/*.csv", "qa", None, []), FileRule("*.csv", None, {"text": "body"}, [])]

    listed, left_out = list_files(tmp_path, rules)

    assert [(f.name, f.rule) for f in listed] == [("a.csv", rules[1]), ("b/a.csv", rules[0])]
    assert left_out == dict.fromkeys(("b/c.jsonl", "d.xls"), "no entry of ingest.files fits its name")


def test_a_rule_that_matches_no_file_is_an_error_with_the_names_of_some(tmp_path: Path) -> None:
    for number in range(7):
        (tmp_path / f"{number}.csv").touch()

    with pytest.raises(UserError) as error:
        list_files(tmp_path, [FileRule("*.csv", None, None, []), FileRule("x*", None, None, [])])

    assert str(error.value) == (
        f"ingest.files[1].glob = 'x*': no file below {tmp_path} matches, or earlier entries take them: want one "
        "of 0.csv, 1.csv, 2.csv, 3.csv, 4.csv and 2 more"
    )


PIECES = st.sampled_from(
    [*'[]{},:"\\\n\r\t ', "null", "NaN", "1e999", '"train"', '"text"', "\ufeff", "\ud7ff", "é", "\\ud800"]
)


@settings(max_examples=300)
@given(text=st.text() | st.lists(PIECES).map("".join), suffix=st.sampled_from([".json", ".jsonl", ".csv", ".txt"]))
def test_any_text_is_read_or_refused_and_every_line_number_is_in_the_file(
    tmp_path_factory: pytest.TempPathFactory, text: str, suffix: str
) -> None:
    try:
        records = read_text(tmp_path_factory.getbasetemp(), f"fuzz{suffix}", text)
    except UserError:
        assert "\0" in text or suffix == ".csv" or (suffix == ".json" and text.count("[") > 1)
    else:
        assert all(1 <= r.line <= text.count("\n") + 1 for r in records)


@settings(max_examples=100)
@given(content=st.binary(), suffix=st.sampled_from([".json", ".jsonl", ".csv", ".txt"]))
def test_any_bytes_are_read_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, suffix: str
) -> None:
    try:
        read_bytes(tmp_path_factory.getbasetemp(), f"fuzz{suffix}", content)
    except UserError as error:
        assert "\n" not in str(error)
