"""Records: the format is given or detected, fields are mapped, contents are validated."""

import json
from typing import Any

import msgspec
import pytest

from stages.params.data import Documents, FileRule
from stages.reading import record_reader
from stages.reading.field_mapping import Metadata, map_fields
from stages.reading.formats import READERS
from stages.reading.record_reader import RecordReader, detect_format, validate
from stages.reading.rejection import RejectedRecord
from stages.rows.row import Chat, Judged, Message, Text


@pytest.mark.parametrize(
    ("record", "fields", "mapped"),
    [
        ({"a": 1, "b": 2}, {"x": "a"}, {"x": 1}),
        ({"a": {"b": {"c": 1}}}, {"x": "a.b.c", "y": "a.b"}, {"x": 1, "y": {"c": 1}}),
        ({"a.b": 1, "a": {"b": 2}}, {"x": "a.b"}, {"x": 1}),  # a name with a dot goes first
        ({"a": None}, {"x": "a"}, {"x": None}),
    ],
)
def test_fields_are_taken_by_name_or_path(record: dict[str, Any], fields: dict[str, str], mapped: dict) -> None:
    assert map_fields(record, fields, None) == mapped


@pytest.mark.parametrize("record", [{}, {"a": 1}, {"a": None}, {"a": {"c": 1}}, {"a": ["b"]}])
def test_a_missing_field_is_rejected(record: dict[str, Any]) -> None:
    with pytest.raises(RejectedRecord) as error:
        map_fields(record, {"x": "a.b"}, None)

    assert (error.value.reason, error.value.detail) == ("no_field", f"no field 'a.b' for x: found {sorted(record)}")


@pytest.mark.parametrize(
    ("fields", "format"),
    [
        ({"text"}, "text"),
        ({"text", "id", "source"}, "text"),  # what carries no meaning does not matter
        ({"text", "label", "question_id"}, "labelled"),
        ({"path", "text"}, "document"),  # unless a format reads it
        ({"text", "title"}, "unknown"),
        ({"id"}, "unknown"),
        (set(), "unknown"),
        ({"messages", "conversations"}, "ambiguous"),
    ],
)
def test_a_format_is_detected_if_it_alone_has_the_fields(fields: set[str], format: str) -> None:
    assert detect_format(fields) == format


def test_formats_are_detected_for_any_number_of_field_sets_and_few_are_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(record_reader, "MAX_FIELD_SETS", 2)
    reader = RecordReader(None, None)
    for _ in range(2):
        for name, record in (("alpaca", {"instruction": "q", "output": "a"}), ("text", {"text": "t"}),
                             ("qa", {"question": "q", "answer": "a"})):  # fmt: skip
            reader.read(record)
            assert reader.format == name
    assert len(reader._format_of) == 2


def test_contents_are_validated_and_encoded() -> None:
    chat = Chat([Message("user", "é"), Message("assistant", "a")])

    assert validate(chat) == (chat, msgspec.json.encode(chat))
    for wrong in (Text(3), Chat([Message("user", None)]), Judged([], [], "yes")):
        with pytest.raises(ValueError):
            validate(wrong)


def test_a_given_format_reads_records_that_no_format_matches() -> None:
    reader = RecordReader(FileRule("*", "text", None, []), None)

    assert reader.read({"text": "t", "url": "u"}) == ([b'{"kind":"text","text":"t"}'], Metadata())
    with pytest.raises(RejectedRecord) as error:
        reader.read({"url": "u"})
    assert (error.value.reason, error.value.detail) == ("wrong_shape", "text: KeyError: 'text'")
    assert reader.format == "text" and "text" in READERS


@pytest.mark.parametrize(
    ("values", "metadata"),
    [
        ({"s": "validation", "g": 7, "t": "2026-01-31"}, ("val", "7", "2026-01-31T00:00:00+00:00")),
        ({"s": None, "g": None, "t": None}, ("", "", "")),
    ],
)
def test_split_group_and_time_are_taken_from_any_field(values: dict[str, Any], metadata: tuple[str, str, str]) -> None:
    fields = {"text": "x.text", "split": "x.s", "group": "x.g", "time": "x.t"}
    reader = RecordReader(FileRule("*", None, fields, []), None)

    assert reader.read({"x": {"text": "t", **values}}) == ([b'{"kind":"text","text":"t"}'], metadata)
    assert reader.format == "text"


@pytest.mark.parametrize(
    ("field", "value", "detail"),
    [
        (
            "split",
            "hard",
            "split 'hard': want train (training, trainset), val (valid, validation, dev, valset, devset) or "
            "test (testing, testset, devtest, eval, evaluation, heldout, holdout)",
        ),
        ("group", [1], "group [1]: want text or a whole number"),
        ("time", "soon", "time 'soon': want ISO 8601, or seconds since 1970"),
    ],
)
def test_an_invalid_split_group_or_time_is_rejected(field: str, value: Any, detail: str) -> None:
    reader = RecordReader(FileRule("*", None, {"text": "text", field: "x"}, []), None)

    with pytest.raises(RejectedRecord) as error:
        reader.read({"text": "t", "x": value})

    assert (error.value.reason, error.value.detail) == (f"wrong_{field}", detail)


def test_a_field_that_is_mapped_to_null_is_not_taken() -> None:
    fields = {"question": "turns.1.text", "answer": "answers.0.text", "system": None, "split": None}
    reader = RecordReader(FileRule("*", "qa", fields, ["system"]), None)
    record = {"system": "Be brief.", "turns": [{"text": "Hi"}, {"text": "Why?"}], "answers": [{"text": "So."}]}

    contents, metadata = reader.read(record)

    turns = json.loads(contents[0])["messages"]
    assert [(turn["role"], turn["content"]) for turn in turns] == [("user", "Why?"), ("assistant", "So.")]
    assert (metadata.split, list(reader.unread.fields)) == ("", ["turns.*.text"])


@pytest.mark.parametrize("path", ["", "notes.md"])
def test_the_rows_of_a_document_are_one_group_and_those_of_another_are_not(path: str) -> None:
    reader = RecordReader(None, Documents(max_chars=1000, headings=True))

    contents, metadata = reader.read({"path": path, "text": "# A\n\nOne."})
    _, other = reader.read({"path": path and "more.md", "text": "# B\n\nTwo."})

    assert len(contents) == 2
    assert metadata.group and other.group and metadata.group != other.group


QUESTION, ANSWER = {"role": "user", "content": "null"}, {"role": "assistant", "content": "a"}
CALL = {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": '{"a": [NaN]}'}}]}
TOOL = {"name": "f", "parameters": {"maximum": float("inf")}}


@pytest.mark.parametrize("beside", [{"messages": [QUESTION, CALL]}, {"messages": [QUESTION, ANSWER], "tools": [TOOL]}])
def test_a_number_that_json_cannot_hold_is_refused_in_arguments_and_tools(beside: dict[str, Any]) -> None:
    with pytest.raises(RejectedRecord) as error:
        RecordReader(None, None).read(beside)

    assert error.value.reason == "wrong_shape"
    assert error.value.detail.endswith(
        "a number that is infinite or none, in arguments or a tool: want what JSON can hold"
    )


TURNS = [{"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}]
PLAIN = {"prompt": "u", "completion": "a"}


@pytest.mark.parametrize("record", [PLAIN, {"question": "u", "answer": "a"}, {"messages": TURNS}])
@pytest.mark.parametrize("label", [True, False, "True", "false", "thumbs up", "dislike", "👎"])
def test_a_label_that_can_only_judge_judges(record: dict[str, Any], label: Any) -> None:
    reader = RecordReader(None, None)

    content, _ = reader.read({**record, "label": label})

    assert isinstance(content, Judged) and content.good == (label in (True, "True", "thumbs up"))
    assert not reader.unread.fields


@pytest.mark.parametrize("record", [PLAIN, {"question": "u", "answer": "a"}, {"messages": TURNS}])
@pytest.mark.parametrize("label", [0, 1, 1.0, -1, "1", "positive", "Negative", "good", "bad", "billing", 3, [1]])
def test_a_label_that_may_be_a_class_stops_the_build_unless_it_is_declared(record: dict[str, Any], label: Any) -> None:
    reader = RecordReader(None, None)
    ignoring = RecordReader(FileRule("*", None, None, ["label"]), None)

    chat, _ = reader.read({**record, "label": label})

    assert [json.loads(content)["kind"] for content in chat] == ["chat"]
    assert reader.unread.stops == {"label": "a judgement of an answer"}
    assert ignoring.read({**record, "label": label})[0] == chat and not ignoring.unread.fields


@pytest.mark.parametrize(
    "rule",
    [
        FileRule("*", "kto", None, []),
        FileRule("*", "kto", {"prompt": "prompt", "completion": "completion", "label": "label"}, []),
    ],
)
@pytest.mark.parametrize(("label", "good"), [(1, True), ("positive", True), (0, False), ("bad", False)])
def test_a_declared_label_judges(rule: FileRule, label: Any, good: bool) -> None:
    reader = RecordReader(rule, None)

    content, _ = reader.read({**PLAIN, "label": label})

    assert content.good is good and not reader.unread.fields


@pytest.mark.parametrize(
    ("answer", "label"),
    [("negative", "negative"), ("Positive", "positive"), ("0", 0), ("true", True), ("False", False)],
)
def test_a_label_that_says_what_the_answer_says_is_its_class(answer: str, label: Any) -> None:
    reader = RecordReader(None, None)

    for record in ({"prompt": "u", "completion": answer}, {"instruction": "u", "output": answer}):
        contents, _ = reader.read({**record, "label": label})
        assert json.loads(contents[0])["kind"] == "chat" and not reader.unread.fields


def test_a_log_whose_only_judgement_may_be_a_class_stops_the_build() -> None:
    reader = RecordReader(None, None)

    with pytest.raises(RejectedRecord):
        reader.read({"messages": TURNS[:1], "response": "a", "label": "negative"})

    assert list(reader.unread.stops) == ["label"]


@pytest.mark.parametrize(
    ("record", "rule", "place"),
    [
        ({"question": "u", "answer": None}, None, "answer"),
        ({"instruction": "u", "input": None, "output": None}, None, "output"),
        ({"prompt": "u", "chosen": None, "rejected": "b"}, None, "chosen"),
        ({"messages": None}, None, "messages"),
        ({"messages": [{"role": "user", "content": None}, {"role": "assistant", "content": "a"}]}, None,
         "messages[0].content"),
        ({"q": "u", "reply": None}, FileRule("*", "qa", {"question": "q", "answer": "reply"}, []), "reply"),
    ],
)  # fmt: skip
def test_a_null_in_place_of_a_text_is_named(record: dict[str, Any], rule: FileRule | None, place: str) -> None:
    with pytest.raises(RejectedRecord) as raised:
        RecordReader(rule, None).read(record)

    assert (raised.value.reason, raised.value.detail) == ("empty_value", f"{place} is null: want a text")
