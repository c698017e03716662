"""JSON documents: every element is read; after an error everything is one broken record with its line."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.reading.containers.record import Broken
from tests.reading.raw_files import read_text

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
        ("one_record.json", ' {"text": "a"}', [(1, WANTED)]),
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
