"""JSON documents: every element is read; after an error everything is one broken record with its line."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmake.errors import UserError
from stages.reading.containers.record import Broken
from tests.reading.raw_files import read_text, read_told

A, B = {"text": "a"}, {"text": "b"}
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
        ("no_string.json", '{"val": [{"text": "a"}], 3: 1}', [(1, A), (1, WANTED)]),
        ("two_objects.json", '{"text": "a"} {"text": "b"}', [(1, A), (1, "more text after the document's end")]),
        ("empty.json", "", [(1, WANTED)]),
        ("number.json", "\n3\n", [(2, WANTED)]),
        ("line.jsonl", '{"text": "a"}\n{\n{"text": "b"}', [(1, A), (2, f"{NAME}: line 1 column 2 (char 1)"), (3, B)]),
    ],
)
def test_records_before_an_error_are_kept_and_the_error_has_its_line(
    tmp_path: Path, name: str, text: str, expected: list
) -> None:
    records = read_text(tmp_path, name, text)

    assert [
        (r.line, r.detail.removeprefix("no JSON: ") if isinstance(r, Broken) else r.value) for r in records
    ] == expected


COLUMNS = "no JSON: want records, or columns of one length; pandas writes records with `to_json(orient='records')`"


@pytest.mark.parametrize(
    ("text", "values", "told"),
    [
        ('{"version": "1.1", "data": [{"text": "a"},\n{"text": "b"}], "license": {"name": "MIT"}}', [A, B],
         ["the list 'data' has its records", "beside its records, not read: version, license"]),
        ('{"rows": [{"text": "a"}]}', [A], ["the list 'rows' has its records"]),
        ('{"version": 1, "train": [{"text": "a"}], "test": [{"text": "b"}]}', [A, B],
         ["beside its records, not read: version"]),
        (' {"text": "a"}', [A], []),
        ('{\n "id": 1,\n "messages": [{"role": "user", "content": "q"}], "tags": ["x"]}\n',
         [{"id": 1, "messages": [{"role": "user", "content": "q"}], "tags": ["x"]}], []),
        ('{"text": "a"}\n{"text": "b"}\n', [A, B], ["its lines are one record each, as in JSON Lines"]),
        ('\ufeff{"text": "a", "tags": ["x"]}\n\n{"text": "b"}', [{**A, "tags": ["x"]}, B],
         ["its lines are one record each, as in JSON Lines"]),
        ("{}", [{}], []),
    ],
)  # fmt: skip
def test_records_of_an_object_are_found_and_what_is_beside_them_is_told(
    tmp_path: Path, text: str, values: list, told: list[str]
) -> None:
    records, notes = read_told(tmp_path, "a.json", text)

    assert ([record.value for record in records], notes) == (values, told)


@pytest.mark.parametrize(
    "text",
    [
        '{"text": ["a", "b"], "label": [0, null]}',
        '{"text": {"0": "a", "1": "b"}, "label": {"0": 0, "1": null}}',
        '{"0": {"text": "a", "label": 0}, "1": {"text": "b", "label": null}}',
        '{"columns": ["text", "label"], "index": [0, 1], "data": [["a", 0], ["b", null]]}',
    ],
)
def test_a_table_by_columns_is_read_by_its_rows(tmp_path: Path, text: str) -> None:
    records, notes = read_told(tmp_path, "a.json", text)

    assert [(record.line, record.value) for record in records] == [
        (1, {"text": "a", "label": 0}), (2, {"text": "b", "label": None})
    ]  # fmt: skip
    assert notes == ["its lists are columns of a table, and its records are the rows"]


def test_columns_of_messages_are_read_and_lists_of_one_conversation_are_none(tmp_path: Path) -> None:
    turns = '[{"role": "user", "content": "q"}]'

    columns = read_text(tmp_path, "a.json", f'{{"messages": [{turns}, {turns}], "id": [1, 2]}}')
    one = read_text(tmp_path, "b.json", f'{{"messages": {turns}, "tags": ["x"]}}')

    assert [record.value["id"] for record in columns] == [1, 2]
    assert [record.value["tags"] for record in one] == [["x"]]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ('{"text": {"0": "a", "1": "b"}, "label": {"0": "x"}}', COLUMNS),
        ('{"tags": ["a", "b"], "rows": [{"text": "x"}]}',
         COLUMNS.replace("want", "'tags' is a list of single values: want", 1)),
        ('{"text": ["a", "b"], "text": ["x", "y"]}',
         "the name 'text' is twice in one object, with other values: want each name once"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_one_broken_record_with_what_to_do(tmp_path: Path, text: str, first: str) -> None:
    [broken] = read_text(tmp_path, "a.json", text)

    assert (broken.line, broken.detail) == (1, first)


@pytest.mark.parametrize("text", ['[{"text": "a"}, {"text": "b"}]\n', '[\n {"text": "a"},\n {"text": "b"}\n]', "[{"])
def test_an_array_that_is_named_json_lines_is_read_as_one(tmp_path: Path, text: str) -> None:
    records, told = read_told(tmp_path, "a.jsonl", text)

    assert [record.value for record in records if not isinstance(record, Broken)] == ([A, B] if text != "[{" else [])
    assert told == ["it is one array of records, not JSON Lines"]


def test_lines_that_are_arrays_are_no_records(tmp_path: Path) -> None:
    records, told = read_told(tmp_path, "a.jsonl", '[{"text": "a"}]\n[{"text": "b"}]\n')

    assert [(record.line, record.detail) for record in records] == [(1, "no JSON object"), (2, "no JSON object")]
    assert told == []


def test_several_lists_beside_other_values_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        read_text(tmp_path, "a.json", '{"info": {},\n"images": [{"text": "a"}],\n"captions": [{"text": "b"}]}')

    assert str(error.value) == (
        f"{tmp_path}/a.json:3: lists images, captions beside info: want one list of records, or lists by split; write "
        "the list that has them into a file of its own"
    )


def test_a_broken_record_has_the_text_of_the_file(tmp_path: Path) -> None:
    array = read_text(tmp_path, "a.json", '[1,\n"b", ["c"], {"text": "a"} {"text":\n')
    lines = read_text(tmp_path, "a.jsonl", '["a", "b"]\n{"text": \n')

    assert [r.text for r in array if isinstance(r, Broken)] == ["1", '"b"', '["c"]', '{"text":\n']
    assert [r.text for r in lines] == ['["a", "b"]', '{"text": ']


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_deep_nesting_is_broken_json(tmp_path: Path, name: str) -> None:
    [broken] = read_text(tmp_path, name, "[" * 100_000)

    assert (broken.line, broken.detail[:44]) == (1, "no JSON: maximum recursion depth exceeded wh")


@given(
    st.lists(st.dictionaries(st.text(max_size=3), st.integers() | st.text()), max_size=4), st.sampled_from([None, 1])
)
def test_every_element_of_an_array_is_read(tmp_path_factory: pytest.TempPathFactory, values: list, indent: int) -> None:
    records = read_text(tmp_path_factory.getbasetemp(), "array.json", json.dumps(values, indent=indent))

    assert [r.value for r in records] == values
