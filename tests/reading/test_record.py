"""A record's fields, format and content: found or given, mapped, checked."""

from typing import Any

import pytest

from stages.params.data import Documents, Files
from stages.reading import ratings
from stages.reading import record as reading
from stages.reading.formats import READERS
from stages.rows.row import Chat, Message, Text


@pytest.mark.parametrize(
    ("record", "fields", "found"),
    [
        ({"a": 1, "b": 2}, {"x": "a"}, {"x": 1}),
        ({"a": {"b": {"c": 1}}}, {"x": "a.b.c", "y": "a.b"}, {"x": 1, "y": {"c": 1}}),
        ({"a.b": 1, "a": {"b": 2}}, {"x": "a.b"}, {"x": 1}),  # a name with a dot goes first
        ({"a": None}, {"x": "a"}, {"x": None}),
    ],
)
def test_fields_are_taken_by_name_or_path(record: dict[str, Any], fields: dict[str, str], found: dict) -> None:
    assert reading.mapped(record, fields) == found


@pytest.mark.parametrize("record", [{}, {"a": 1}, {"a": None}, {"a": {"c": 1}}, {"a": ["b"]}])
def test_a_field_that_is_not_there_is_told(record: dict[str, Any]) -> None:
    with pytest.raises(reading.Unfit) as told:
        reading.mapped(record, {"x": "a.b"})

    assert told.value.args == ("no_field", f"no field 'a.b' for x: found {sorted(record)}")


@pytest.mark.parametrize(
    ("fields", "form"),
    [({"text"}, "text"), ({"text", "id"}, "unknown"), (set(), "unknown"), ({"messages", "conversations"}, "ambiguous")],
)
def test_a_format_is_found_where_one_alone_has_the_fields(fields: set[str], form: str) -> None:
    assert reading.detect(fields) == form


def test_many_sets_of_fields_are_told_apart_and_few_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "KEPT", 2)
    reader = reading.Reader(None, None)
    for _ in range(2):
        for name, record in (("alpaca", {"instruction": "q", "output": "a"}), ("text", {"text": "t"}),
                             ("qa", {"question": "q", "answer": "a"})):  # fmt: skip
            reader.read(record)
            assert reader.form == name
    assert len(reader._known) == 2


def test_what_a_format_gives_is_checked_and_json() -> None:
    chat = Chat([Message("user", "é"), Message("assistant", "a")])

    assert reading.checked(chat) == (chat, reading.msgspec.json.encode(chat))
    for wrong in (Text(3), Chat([Message("user", None)]), ratings.Judged([], [], "yes")):
        with pytest.raises(ValueError):
            reading.checked(wrong)


def test_a_given_format_reads_records_that_none_would_match() -> None:
    reader = reading.Reader(Files("*", "text", None), None)

    assert reader.read({"text": "t", "url": "u"}) == ([b'{"kind":"text","text":"t"}'], reading.Beside())
    with pytest.raises(reading.Unfit) as told:
        reader.read({"url": "u"})
    assert told.value.args == ("wrong_shape", "text: KeyError: 'text'")
    assert reader.form == "text" and "text" in READERS


@pytest.mark.parametrize(
    ("found", "beside"),
    [
        ({"s": "validation", "g": 7, "t": "2026-01-31"}, ("val", "7", "2026-01-31T00:00:00+00:00")),
        ({"s": None, "g": None, "t": None}, ("", "", "")),
    ],
)
def test_split_group_and_time_are_taken_from_any_field(found: dict[str, Any], beside: tuple[str, str, str]) -> None:
    fields = {"text": "x.text", "split": "x.s", "group": "x.g", "time": "x.t"}
    reader = reading.Reader(Files("*", None, fields), None)

    assert reader.read({"x": {"text": "t", **found}}) == ([b'{"kind":"text","text":"t"}'], beside)
    assert reader.form == "text"


@pytest.mark.parametrize(
    ("field", "value", "detail"),
    [
        ("split", "holdout", "split 'holdout': want train, val (validation, dev) or test"),
        ("group", [1], "group [1]: want text or a whole number"),
        ("time", "soon", "time 'soon': want ISO 8601, or seconds since 1970"),
    ],
)
def test_a_split_a_group_or_a_time_that_is_none_is_told(field: str, value: Any, detail: str) -> None:
    reader = reading.Reader(Files("*", None, {"text": "text", field: "x"}), None)

    with pytest.raises(reading.Unfit) as told:
        reader.read({"text": "t", "x": value})

    assert told.value.args == (f"wrong_{field}", detail)


@pytest.mark.parametrize("path", ["", "notes.md"])
def test_the_rows_of_a_document_are_one_group_and_those_of_another_are_not(path: str) -> None:
    reader = reading.Reader(None, Documents(max_chars=1000, headings=True))

    contents, beside = reader.read({"path": path, "text": "# A\n\nOne."})
    _, other = reader.read({"path": path and "more.md", "text": "# B\n\nTwo."})

    assert len(contents) == 2
    assert beside.group and other.group and beside.group != other.group
