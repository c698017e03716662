"""`*` in a path of `fields` makes a record of each item of a list."""

from typing import Any

import pytest

from stages.params.data import FileRule
from stages.reading import items
from stages.reading.containers.record import Broken, Record
from stages.reading.field_mapping import rule_problems
from stages.reading.record_reader import RecordReader

ARTICLE = {
    "title": "t",
    "paragraphs": [
        {"context": "c", "qas": [{"q": "1", "a": ["x", "y"]}, {"q": "2", "a": ["z"]}]},
        {"context": "d", "qas": [{"q": "3", "a": ["w"]}]},
    ],
}


def test_lists_in_lists_make_a_record_of_each_innermost_item() -> None:
    paths = ["paragraphs.*.context", "paragraphs.*.qas.*.q", "title"]

    records = items.each(ARTICLE, items.lists(paths))

    assert records == [
        {"title": "t", "paragraphs": [{"context": "c", "qas": [{"q": "1", "a": ["x", "y"]}]}]},
        {"title": "t", "paragraphs": [{"context": "c", "qas": [{"q": "2", "a": ["z"]}]}]},
        {"title": "t", "paragraphs": [{"context": "d", "qas": [{"q": "3", "a": ["w"]}]}]},
    ]


@pytest.mark.parametrize("record", [{"q": []}, {"q": None}, {"q": "text"}, {}])
def test_a_record_without_items_stays_as_it_is(record: dict[str, Any]) -> None:
    assert items.each(record, ["q"]) == [record]


def test_lists_beside_each_other_are_refused() -> None:
    rule = FileRule("*", "qa", {"question": "questions.*", "answer": "answers.*"}, [])

    assert rule_problems([rule], "ingest.files") == [
        "ingest.files[0].fields: answers.* and questions.*: want one list, or one in the other"
    ]


def test_each_item_becomes_a_row_and_fields_outside_of_the_list_are_all_rows() -> None:
    rule = FileRule("*", "qa", {"question": "s.*.q", "answer": "sql.0", "split": "s.*.of"}, [])
    reader = RecordReader(rule, None)
    value = {"sql": ["SELECT"], "s": [{"q": "one", "of": "dev"}, {"q": "two", "of": "test", "why": "a long note"}]}

    parts = list(reader.each_item([Record(3, value, "as spelt"), Broken(9, "no JSON", "{")]))

    assert [(part.line, part.text) for part in parts] == [(3, ""), (3, ""), (9, "{")]
    read = [reader.read(part.value) for part in parts[:2]]
    assert [metadata.split for _, metadata in read] == ["val", "test"]
    assert [b'"one"' in read[0][0][0], b'"two"' in read[1][0][0]] == [True, True]
    assert list(reader.unread.fields) == ["s.*.why"]


SQUAD = {"context": "paragraphs.*.context", "prompt": "paragraphs.*.qas.*.q", "completion": "paragraphs.*.qas.*.a.0"}


@pytest.mark.parametrize(
    ("fields", "groups"),
    [
        (SQUAD, ["c", "c", "d"]),
        ({**SQUAD, "group": "title"}, ["t", "t", "t"]),
        ({name: path for name, path in SQUAD.items() if name != "context"}, ["", "", ""]),
        ({**SQUAD, "context": "title"}, ["t", "t", "t"]),
        ({"prompt": "paragraphs.*.qas.*.q", "completion": "title", "system": "paragraphs.*.context"}, ["", "", ""]),
        ({**SQUAD, "context": "paragraphs.*.qas.*.q", "prompt": "title"}, ["", "", ""]),
    ],
)
def test_rows_that_share_what_their_questions_are_about_are_one_group(
    fields: dict[str, str], groups: list[str]
) -> None:
    reader = RecordReader(FileRule("*", "completion", fields, []), None)

    found = [reader.read(one.value)[1].group for one in reader.each_item([Record(1, ARTICLE, "")])]

    assert [[found.index(group), bool(group)] for group in found] == [
        [groups.index(group), bool(group)] for group in groups
    ]


def test_records_of_one_passage_are_one_group_whatever_else_they_say() -> None:
    reader = RecordReader(FileRule("*", "completion", SQUAD, []), None)
    same = {**ARTICLE, "title": "u", "id": 3}

    first, second = ([reader.read(one.value)[1].group for one in reader.each_item([Record(1, record, "")])]
                     for record in (ARTICLE, same))  # fmt: skip

    assert first == second


def test_rows_without_a_passage_are_of_no_group() -> None:
    reader = RecordReader(FileRule("*", "completion", SQUAD, []), None)
    record = {"paragraphs": [{"context": "", "qas": [{"q": "1", "a": ["x"]}, {"q": "2", "a": ["y"]}]}]}

    assert [reader.read(one.value)[1].group for one in reader.each_item([Record(1, record, "")])] == ["", ""]
