"""Values that nothing reads are found by their paths, and told by their names: meaning, no meaning, or unknown."""

from typing import Any

import pytest

from stages.params.data import FileRule
from stages.reading import field_names, unread
from stages.reading.record_reader import RecordReader
from stages.reading.unread import WHOLE, Paths, Unread

JUDGES, ABOUT, INSTRUCTS = (
    "a judgement of an answer", "a text that the question is about", "an instruction beside the question",
)  # fmt: skip
TURNS = [{"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}]


def unread_of(record: dict[str, Any], rule: FileRule | None = None) -> dict[str, Any]:
    """{path: example} of the fields that are told of a record."""
    reader = RecordReader(rule, None)
    reader.read(record)
    return {path: field["example"] for path, field in reader.unread.fields.items()}


@pytest.mark.parametrize(
    ("record", "found"),
    [
        ({"messages": TURNS, "id": 7, "topic": "x"}, {"topic": "x"}),
        ({"messages": TURNS, "a": {"b": [{"c": 1}, {"c": 2, "d": False}]}}, {"a.b.*.c": "1", "a.b.*.d": "False"}),
        ({"messages": TURNS, "a": None, "b": "", "c": [], "d": {}, "e": [None], "f": float("nan")}, {}),
        ({"messages": [{**TURNS[0], "name": "Bo"}, TURNS[1]]}, {"messages.*.name": "Bo"}),
        ({"messages": [{**TURNS[0], "tool_call_id": "x"}, TURNS[1]]}, {"messages.*.tool_call_id": "x"}),
        ({"messages": [TURNS[0], {**TURNS[1], "images": ["x.png"]}]}, {"messages.*.images.*": "x.png"}),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "u", "lang": "en"}]}, TURNS[1]]},
            {"messages.*.content.*.lang": "en"},
        ),
        (
            {"messages": [TURNS[0], {"role": "gpt", "tool_calls": [{"name": "f", "arguments": {"a": 1}, "x": 2}]}]},
            {"messages.*.tool_calls.*.x": "2"},
        ),
        ({"messages": "u", "response": {"choices": [{"message": TURNS[1], "finish_reason": "stop"}]}, "rating": 1}, {}),
        ({"prompt": "u", "completion": '[{"role": "gpt", "content": "a", "mood": "x"}]'}, {"completion.*.mood": "x"}),
        (
            {"messages": [TURNS[0], {"role": "assistant", "type": "x", "content": [
                {"type": "thinking", "thinking": "r", "mood": 1},
                {"type": "tool_use", "name": "f", "input": {"b": 1}, "cache": {"c": 2}},
            ]}]},
            {"messages.*.type": "x", "messages.*.content.*.mood": "1", "messages.*.content.*.cache.c": "2"},
        ),
        ({"messages": [TURNS[0], {"type": "function_call", "name": "f", "arguments": "{}", "status": "done"}]},
         {"messages.*.status": "done"}),
        ({"question": "u", "answer": "a", "tools": [{"name": "f", "parameters": {"a": {"b": 1}}}]}, {}),
        ({"messages": TURNS, "reasoning": "off", "cot": None}, {"reasoning": "off"}),
        ({"messages": [TURNS[0], {**TURNS[1], "thinking": True}]}, {"messages.*.thinking": "True"}),
        ({"instruction": "u", "output": "a", "images": ["x.png"], "image": {"bytes": {"bytes": 3}}},
         {"images.*": "x.png", "image.bytes.bytes": "3"}),
    ],
)  # fmt: skip
def test_what_nothing_reads_is_told(record: dict[str, Any], found: dict[str, Any]) -> None:
    assert unread_of(record) == found


@pytest.mark.parametrize(
    ("fields", "ignore", "found"),
    [
        ({"question": "q", "answer": "a.text"}, [], {"a.lang": "en", "list.*": "x", "note": "n"}),
        (
            {"question": "q", "answer": "list.0", "split": "set"},
            [],
            {"a.text": "t", "a.lang": "en", "list.*": "y", "note": "n"},
        ),
        ({"question": "q", "answer": "a.text"}, ["a", "list.*"], {"note": "n"}),
    ],
)  # fmt: skip
def test_what_is_neither_mapped_nor_ignored_is_told(
    fields: dict[str, str], ignore: list[str], found: dict[str, Any]
) -> None:
    record = {"q": "u", "a": {"text": "t", "lang": "en"}, "list": ["x", "y"], "note": "n", "set": "train"}
    if ignore:
        fields = {**fields, "answer": "b"}
        record["b"] = "t"
    if "split" not in fields:
        del record["set"]

    assert unread_of(record, FileRule("*", "qa", fields, ignore)) == found


def test_a_mapped_switch_of_reasoning_is_told() -> None:
    rule = FileRule("*", "qa", {"question": "q", "answer": "a", "reasoning": "mode"}, [])

    assert unread_of({"q": "u", "a": "b", "mode": "auto"}, rule) == {"mode": "auto"}


def test_an_ignored_field_is_not_read() -> None:
    record = {"messages": [TURNS[0], {**TURNS[1], "weight": 0.5}], "rating": 4}
    reader = RecordReader(FileRule("*", None, None, ["rating", "messages.*.weight"]), None)

    contents, _ = reader.read(record)

    assert contents == [
        b'{"kind":"chat","messages":[{"role":"user","content":"u"},{"role":"assistant","content":"a"}]}'
    ]
    assert record["messages"][1]["weight"] == 0.5 and reader.unread.fields == {}


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("messages.*.Weight", "a weight or a mask of what is trained on"),
        ("meta.quality_score", "a judgement of an answer"),
        ("images.*.url", "an image, a sound or a film"),
        ("systemPrompt", "a system prompt"),
        ("source.rating", "a judgement of an answer"),
        ("response.choices.*.message.function_call", "tools and their calls"),
        ("extra.chain-of-thought", "the reasoning before an answer"),
        ("rejected_response", "an answer that was rejected, or preferred"),
        ("topic", ""),
        ("source.name", ""),
        ("sources.*.text", ""),
        ("sources.*", None),
        ("helpfulness", "a judgement of an answer"),
        ("metadata.incorrect_answer", "an answer that was rejected, or preferred"),
        ("createdAt", None),
        ("Unnamed: 0", None),
        ("split", ""),
    ],
)
def test_the_names_of_a_path_tell_what_a_field_means(path: str, what: str | None) -> None:
    assert field_names.changed_meaning(path) == (what or "")
    assert field_names.has_meaning(path) == (what is not None)


@pytest.mark.parametrize(
    ("path", "value", "what"),
    [
        ("choices.*.finish_reason", "length", "an answer that was cut off, or withdrawn"),
        ("stop_reason", "max_tokens", "an answer that was cut off, or withdrawn"),
        ("messages.*.finishReason", "STOP", None),
        ("stop_reason", "end_turn", None),
        ("messages.*.deleted", True, "an answer that was cut off, or withdrawn"),
        ("deleted", False, None),
        ("deleted", 0.0, None),
        ("deleted", 1.0, "an answer that was cut off, or withdrawn"),
        ("messages.*.content.*.thought", False, None),
        ("messages.*.content.*.thought", "Well.", "the reasoning before an answer"),
        ("messages.*.content.*.thought", True, "the reasoning before an answer"),
        ("thinking", True, ""),
        ("meta.reasoning", "High", ""),
        ("page", 12, None),
        ("page", "12 of the manual", None),
        ("page", "The whole page text, which is long.", ""),
        ("file", "def f():\n    pass\n", ""),
        ("date", "Friday, 3 January 2025\n", None),
        ("length", "short", ""),
        ("length", " 1,024 ", None),
        ("usage.total_tokens", 9, None),
        ("topic", "stop", ""),
        ("source.rating", False, "a judgement of an answer"),
        ("meta.is_safe", False, JUDGES),
        ("is_safe", True, None),
        ("hallucination", "yes", JUDGES),
        ("moderation.*.flagged", True, JUDGES),
        ("moderation.*.flagged", False, None),
        ("toxic", 0, None),
        ("accepted", "no", JUDGES),
        ("verdict", "Correct", None),
        ("verdict", "partly right", JUDGES),
        ("status", "Rejected", JUDGES),
        ("status", "closed", ""),
        ("rank", 2, JUDGES),
        ("rank", 1, None),
        ("documents.*.score", 0.9, JUDGES),
        ("context.balance", 120, ABOUT),
        ("context.url", "/home", None),
        ("context.page", "A page of seven words, or even more.", ABOUT),
        ("document", "manual.pdf", ""),
        ("document", "It is 5.", ABOUT),
        ("paragraph", 12, ""),
        ("paragraph", "\u5317\u4eac\u662f\u9996\u90fd\u3002", ABOUT),
        ("page", "\u6211\u4eec\u4eca\u5929\u4e0b\u5348\u53bb\u5317\u4eac\u770b\u671b\u670b\u53cb\u3002", ""),
        ("author", "\u5f20\u4f1f", None),
        ("gold_document", "A text of seven words, or even more.", ABOUT),
        ("document_title", "A title of seven words, or even more.", ""),
        ("Complex_CoT", "Well.", "the reasoning before an answer"),
        ("gemini_thinking", "A text of seven words, or even more.", "the reasoning before an answer"),
        ("target_language", "de", INSTRUCTS),
        ("persona", "pirate", INSTRUCTS),
        ("constraints.*", "detectable_format:title", ""),
        ("constraints.*", "length constraints:number of words", ""),
        ("constraints.*", "No more than 3 words.", INSTRUCTS),
        ("style", "formal", ""),
        ("style", "Write as a pirate would, with oaths.", INSTRUCTS),
        ("language", "English", ""),
    ],
)
def test_some_values_have_a_meaning_whatever_their_name_and_some_have_none(path: str, value: Any, what: Any) -> None:
    assert field_names.meaning(path, value) == what


def test_of_several_values_one_with_a_meaning_is_told() -> None:
    record = {"messages": [{**TURNS[0], "deleted": False}, {**TURNS[1], "deleted": True}],
              "sources": ["A", "A text of seven words, or of more.", "B"]}  # fmt: skip

    assert unread_of(record) == {
        "messages.*.deleted": "True",
        "sources.*": "A text of seven words, or of more.",
    }


@pytest.mark.parametrize(
    ("field", "stops"),
    [
        ({"evidence": "It is 5."}, False),
        ({"evidence": "It is 6."}, True),
        ({"constraints": ["It is 5.", "Say it."]}, False),
        ({"constraints": ["It is 5.", "Shout it."]}, True),
        ({"target_lang": "t"}, True),  # within a word only
        ({"complex_cot": "Five follows."}, False),
        ({"evidence": "Five follows."}, True),  # the answer says it, the question does not
    ],
)
def test_a_text_that_the_row_has_already_is_told_and_stops_nothing(field: dict[str, Any], stops: bool) -> None:
    reader = RecordReader(None, None)

    reader.read({"prompt": "It is 5. Say it.", "completion": "Five follows. 5", **field})

    assert bool(reader.unread.stops) == stops
    assert len(reader.unread.fields) == 1


def test_no_name_both_has_a_meaning_and_has_none() -> None:
    meaning = [name for names in field_names.CHANGES_MEANING.values() for name in names]
    none = [name for names in field_names.NO_MEANING.values() for name in names]

    assert len({*meaning, *none}) == len(meaning) + len(none)
    assert all(field_names.SIGNS.sub("", name).lower() == name for name in (*meaning, *none))


def test_fields_are_counted_by_records_with_the_first_example() -> None:
    fields = Unread()
    for value in ("x" * 99, "y"):
        fields.add({"a": value, "b.*.weight": 1, "id": 3})

    assert fields.fields == {
        "a": {"records": 2, "example": "x" * 59 + "…"},
        "b.*.weight": {"records": 2, "example": "1"},
    }
    assert fields.stops == {"b.*.weight": "a weight or a mask of what is trained on"}


def test_a_field_stops_though_its_first_values_do_not() -> None:
    fields = Unread()
    for value in ("x", "An example.", "y"):
        fields.add({"document": value})

    assert fields.fields == {"document": {"records": 3, "example": "An example."}}
    assert fields.stops == {"document": ABOUT}
    assert unread_of({"messages": TURNS, "documents": ["x", "An example.", "y"]}) == {"documents.*": "An example."}


def test_any_number_of_fields_is_told_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unread, "MAX_FIELDS", 2)
    fields = Unread()
    for n in range(50):
        fields.add({f"a{n}": n, f"b{n}.label": n, "\ud800\n": n})

    assert fields.fields == {
        "a0": {"records": 1, "example": "0"},
        "b0.label": {"records": 1, "example": "0"},
        "(others)": {"records": 50, "example": "0"},
        "(others: a judgement of an answer)": {"records": 49, "example": "1"},
    }
    assert list(fields.stops) == ["b0.label", "(others: a judgement of an answer)"]


def test_paths_lead_into_objects_and_lists_and_names_with_dots_go_first() -> None:
    assert unread.paths(["a.b", "c.0.d", "c.*.e"], set()) == {
        "a": {"b": WHOLE},
        "c": {"0": {"d": WHOLE}, "*": {"e": WHOLE}},
    }
    assert unread.paths(["a.b"], {"a.b"}) == {"a.b": WHOLE}
    assert unread.paths(["a", "a.b"], set()) == {"a": WHOLE}
    assert unread.paths(["a.b", "a"], set()) == {"a": WHOLE}


def test_ignored_values_are_taken_out_and_the_record_stays() -> None:
    record = {"a": [{"b": 1, "c": 2}, {"b": 3}, 4], "d": {"e": 5}}

    tree = unread.paths(["a.*.b", "d"], set())

    assert unread.without(record, tree) == {"a": [{"c": 2}, {}, 4]}
    assert unread.without(record, Paths()) == record == {"a": [{"b": 1, "c": 2}, {"b": 3}, 4], "d": {"e": 5}}


def test_a_path_is_one_line() -> None:
    fields = Unread()
    fields.add({"a\n\ud800": 1, "b" * 999: 2})

    assert list(fields.fields) == ["a\\n\\ud800", "b" * 199 + "…"]
