"""Ingest: unusable records are kept with their reason, up to a bound; formats and fields may be given."""

from pathlib import Path

import pytest

from modelmake.errors import UserError
from stages import ingest
from stages.params.data import Documents, FileRule, Ingest
from stages.reading.formats import READERS
from stages.reading.message_parsing import ROLES
from stages.rows.row import Text, make_row
from tests.ingest_run import MANUAL, QUESTION, chat, lines, rated, rows_of, run

SHAPE, STR = "wrong_shape", "ValidationError: Expected `str`"
ROLE = f"want one of {', '.join(ROLES)}"


@pytest.mark.parametrize(
    ("line", "reason", "detail"),
    [
        ('{"b": 1, "a": "x"}', "unknown_format", "fields ['a', 'b']: no format has these"),
        ('{"text": 3}', SHAPE, f"text: {STR}, got `int` - at `$.text`"),
        ('{"instruction": "q", "output": null}', "empty_value", "output is null: want a text"),
        ('{"conversations": [{"from": "x", "value": "x"}]}', SHAPE, f"sharegpt: ValueError: role 'x': {ROLE}"),
        ('{"messages": [{"role": "x", "content": ""}]}', SHAPE, f"messages: ValueError: role 'x': {ROLE}"),
        ('{"messages": {}}', SHAPE, "messages: TypeError: an object: want a text or a list of messages"),
        ('{"text": 1e999}', SHAPE, f"text: {STR}, got `float` - at `$.text`"),
        ('{"text": " "}', "empty_text", "text is empty"),
        ('{"instruction": "q", "output": ""}', "empty_answer", "the answer is empty"),
    ],
)
def test_an_unusable_record_is_kept_whole_with_its_reason(tmp_path: Path, line: str, reason: str, detail: str) -> None:
    result = run(tmp_path, {"a.jsonl": f"{lines(QUESTION)}\n{line}\n"})

    assert result["rejected"] == [{"file": "a.jsonl", "line": 3, "reason": reason, "detail": detail, "found": line}]
    assert result["report"]["dropped"] == {reason: 1}


@pytest.mark.parametrize(
    "line",
    [
        r'{"text": "\ud800"}',  # half a surrogate pair: JSON can spell it, UTF-8 cannot
        r'{"messages": [{"role": "\ud800", "content": "x"}]}',
        '{"text": 1e999}',
        '{"a": 123456789012345678901234567890}',
        '{"messages": ' + "[" * 900 + "]" * 900 + "}",
    ],
)
def test_a_record_that_json_can_spell_and_no_row_can_hold_is_rejected(tmp_path: Path, line: str) -> None:
    assert [bad["found"] for bad in run(tmp_path, {"a.jsonl": lines(QUESTION) + line})["rejected"]] == [line]


@pytest.mark.parametrize(
    ("record", "reason", "detail"),
    [
        ({"path": 3, "text": "x"}, SHAPE, f"document: {STR}, got `int` - at `$.path`"),
        ({"path": "b", "text": None}, "empty_value", "text is null: want a text"),
        ({"path": "b", "text": " \n "}, "empty_text", "text is empty"),
    ],
)  # fmt: skip
def test_an_unusable_document_is_one_rejected_record(tmp_path: Path, record: dict, reason: str, detail: str) -> None:
    result = run(tmp_path, {"a.jsonl": lines(MANUAL, record)}, documents=Documents(99, False))

    assert [(bad["line"], bad["reason"], bad["detail"]) for bad in result["rejected"]] == [(2, reason, detail)]
    assert (result["report"]["in"], result["report"]["out"]) == (3, 2)


def test_documents_are_rejected_without_parameters_for_them(tmp_path: Path) -> None:
    [bad] = run(tmp_path, {"a.jsonl": lines(MANUAL, QUESTION)})["rejected"]

    assert (bad["reason"], bad["detail"]) == (
        "document",
        "ingest.documents is null: say there how documents become rows",
    )


def test_an_unusable_rated_answer_is_rejected_and_never_the_chosen_side(tmp_path: Path) -> None:
    result = run(tmp_path, {"a.jsonl": lines(rated("q", "", True), rated("q", "no", False), QUESTION)})

    assert [(b["line"], b["reason"]) for b in result["rejected"]] == [(1, "empty_answer"), (2, "bad_alone")]


def test_fields_of_a_file_are_mapped_to_those_of_a_format(tmp_path: Path) -> None:
    files = {"a/x.jsonl": lines({"Title": "q", "body": {"text": "a"}, "a.b": 1}, {"Title": "q"}), "y.csv": "x\n1\n"}
    rules = [FileRule("a/*", "qa", {"question": "Title", "answer": "body.text"}, [])]

    result = run(tmp_path, files, rules=rules)

    assert rows_of(result, tmp_path) == [make_row(chat("q", "a"))]
    assert [(b["line"], b["reason"], b["detail"], b["found"]) for b in result["rejected"]] == [
        (2, "no_field", "no field 'body.text' for answer: found ['Title']", '{"Title": "q"}')
    ]
    assert result["report"]["formats"] == {"a/x.jsonl": {"qa": 2}}
    assert result["report"]["left_out"] == {"y.csv": "no entry of ingest.files fits its name"}


@pytest.mark.parametrize(
    "rule",
    [
        FileRule("*", "text", None, []),  # a given format ignores other fields
        FileRule("*", None, {"text": "text"}, []),  # else the mapped fields decide
    ],
)
def test_a_format_is_given_or_detected_by_the_mapped_fields(tmp_path: Path, rule: FileRule) -> None:
    result = run(tmp_path, {"a.jsonl": lines({"text": "t", "url": "u"})}, rules=[rule])

    assert rows_of(result, tmp_path) == [make_row(Text("t"))]
    assert result["report"]["formats"] == {"a.jsonl": {"text": 1}}


def test_an_unknown_format_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        run(
            tmp_path,
            {"a.jsonl": lines(QUESTION)},
            rules=[FileRule("*", None, None, []), FileRule("*", "orca", None, [])],
        )

    assert str(error.value) == f"ingest.files[1].format = 'orca': want one of {', '.join(READERS)}, or null"


def test_fields_of_two_formats_are_rejected_until_one_is_given(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    both = {"messages": turns, "conversations": turns}

    [bad] = run(tmp_path / "1", {"a.jsonl": lines(QUESTION, both)})["rejected"]
    named = run(tmp_path / "2", {"a.jsonl": lines(both)}, rules=[FileRule("*", "sharegpt", None, ["messages"])])

    assert (bad["reason"], bad["detail"]) == (
        "ambiguous_format",
        "fields ['conversations', 'messages']: sharegpt and messages have these; name one in ingest.files",
    )
    assert named["report"]["formats"] == {"a.jsonl": {"sharegpt": 1}}


def test_files_of_mixed_formats_are_in_the_line_of_counts(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw/a.jsonl").write_text(lines(QUESTION, QUESTION, {"text": "t"}, {"x": 1}))
    (tmp_path / "raw/b.jsonl").write_text(lines({"text": "u"}, []))

    line = ingest.main(tmp_path / "raw", *(tmp_path / n for n in "irsj"), Ingest("", [], 1.0, None, "pairs", "given"))

    assert line == (
        "6 rows in, 3 out, 3 dropped (broken_json 1, repeated 1, unknown_format 1); "
        "mixed a.jsonl (alpaca 2, text 1, unknown 1)"
    )


def test_a_file_of_no_format_is_one_line_of_the_error(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        run(tmp_path, {"a.jsonl": lines(*[{"x": 1}] * 40), "b.jsonl": lines(QUESTION, [])}, 0.5)

    assert str(error.value) == (
        f"{tmp_path}/raw: 41 of 42 records unusable: want at most 50.00%; mend them or raise "
        "ingest.max_rejected_fraction\n  a.jsonl: 40 records, none in one known format: name the format in "
        "ingest.files, or move the file elsewhere\n  a.jsonl:1: unknown_format: fields ['x']: no format has these\n"
        "  b.jsonl:2: broken_json: no JSON object"
    )


def test_too_many_rejected_records_are_an_error_that_names_the_first_ten(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        run(tmp_path, {"a.jsonl": lines(*[QUESTION] * 88, *[{"text": ""}] * 9), "b.jsonl": lines([]) * 3}, 0.11)

    named = [f"\n  a.jsonl:{n}: empty_text: text is empty" for n in range(89, 98)]
    assert str(error.value) == (
        f"{tmp_path}/raw: 12 of 100 records unusable: want at most 11.00%; mend them or raise "
        f"ingest.max_rejected_fraction{''.join(named)}\n  b.jsonl:1: broken_json: no JSON object"
    )


@pytest.mark.parametrize("bad", [1, 7, 14, 28, 29, 55, 57, 58])
def test_as_many_rejected_records_as_allowed_pass_and_one_more_does_not(tmp_path: Path, bad: int) -> None:
    files = {"a.jsonl": lines(*[QUESTION] * (100 - bad), *[[]] * bad)}

    assert len(run(tmp_path, files, float(f"0.{bad:02}"))["rejected"]) == bad
    with pytest.raises(UserError, match=f"raw: {bad} of 100 records unusable: want at most {bad - 1}.00%; "):
        run(tmp_path, files, float(f"0.{bad - 1:02}"))


def test_no_usable_record_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        run(tmp_path, {"a.jsonl": "[]\n", "b.txt": ""})

    assert str(error.value) == (
        f"{tmp_path}/raw: 1 records, none usable: want at least one\n  a.jsonl:1: broken_json: no JSON object"
    )


def test_unread_fields_that_change_what_rows_mean_stop_the_stage_all_at_once(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    files = {
        "a.jsonl": lines({"messages": turns, "images": ["x.png"]}, {"messages": turns, "note": 1, "images": ["y.png"]}),
        "b.jsonl": lines({"question": "q", "answer": "a", "meta": {"score": 3}}, {"text": ""}),
        "c.jsonl": lines({"messages": turns, "images": ["z.png"]}),
    }
    rules = [FileRule("b*", "qa", None, []), FileRule("*", None, None, [])]

    with pytest.raises(UserError) as error:
        run(tmp_path, files, 0.0, rules=rules)

    wanted = "want it mapped in `fields` of ingest.files, or named in `ignore`"
    assert str(error.value) == (
        "a.jsonl and 1 more: field images.* (records: 3), such as 'x.png': nothing reads it, and it may be an image, a "
        f"sound or a film: {wanted}\n"
        "b.jsonl: field meta.score (records: 1), such as '3': nothing reads it, and it may be a judgement of an "
        f"answer: {wanted}\n"
        f"{tmp_path}/raw: 1 of 5 records unusable: want at most 0.00%; mend them or raise "
        "ingest.max_rejected_fraction\n  b.jsonl:2: wrong_shape: qa: KeyError: 'question'"
    )


def test_unread_fields_that_are_named_stop_nothing_and_others_are_told(tmp_path: Path) -> None:
    record = {"question": "q", "answer": "a", "meta": {"score": 3}, "topic": "x", "id": 7}
    rules = [FileRule("*", "qa", {"question": "question", "answer": "answer"}, ["meta.score"])]

    result = run(tmp_path, {"a.jsonl": lines(record, {**record, "topic": None})}, rules=rules)

    assert rows_of(result, tmp_path) == [make_row(chat("q", "a"))]
    assert result["report"]["unread"] == {"a.jsonl": {"topic": {"records": 1, "example": "x"}}}


def test_unread_fields_are_in_the_line_of_counts(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw/a.jsonl").write_text(lines(*({**QUESTION, f"f{n:02}": n, "g": 1} for n in range(11))))

    line = ingest.main(tmp_path / "raw", *(tmp_path / n for n in "irsj"), Ingest("", [], 1.0, None, "pairs", "given"))

    assert line == (
        "11 rows in, 1 out, 10 dropped (repeated 10); not read a.jsonl (f00 1, g 11, f01 1, f02 1, f03 1, f04 1, "
        "f05 1, f06 1, f07 1, f08 1 and 2 more)"
    )


def test_a_chat_without_a_turn_to_train_on_is_rejected(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a", "weight": 0}]
    pair = {"messages": [*turns], "rejected_response": "b"}

    result = run(tmp_path, {"a.jsonl": lines(QUESTION, {"messages": turns}, pair)})

    assert [(bad["line"], bad["reason"], bad["detail"]) for bad in result["rejected"]] == [
        (2, "untrained", "its mask says that no answer is trained on"),
        (3, "untrained", "its mask says that no answer is trained on"),
    ]
