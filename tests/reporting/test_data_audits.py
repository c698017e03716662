"""Audits warn about what they look for, and about nothing else."""

import pytest

from stages.params.data import Datasheet
from stages.reporting import data_audits, data_facts
from stages.rows.row import Chat, Function, Judged, Message, Pair, Row, Text, ToolCall, make_row

PARAMS = Datasheet(
    license="MIT", sample_rows=10, seed=1, confidence=0.95, examples=2, min_rows=4, max_duplicates=(0.1, 0.3),
    max_label_share=0.5, max_length_bias=0.8, max_length_ratio=2.0,
)  # fmt: skip


def chat(question: str, answer: str) -> Row:
    return make_row(Chat([Message("user", question), Message("assistant", answer)]))


def pair(question: str, chosen: str, rejected: str) -> Row:
    return make_row(Pair([Message("user", question)], [Message("assistant", chosen)], [Message("assistant", rejected)]))


def labels(*names: str) -> data_facts.LabelOf:
    return data_facts.label_function({"field": None, "counts": dict.fromkeys(names, 1)})


def test_one_question_with_two_answers_is_a_conflict_case_and_white_space_ignored() -> None:
    rows = [chat("Is it blue?", "yes"), chat("is  it BLUE?", "no"), chat("other", "yes"), make_row(Text("text"))]

    finding = data_audits.conflicting_answers(rows, PARAMS)

    assert (finding.level, finding.message[:42]) == ("warning", "1 of 2 questions have different answers; a")
    assert [(e.id, e.why, e.answer) for e in finding.examples] == [
        (rows[0].id, "answer 1 of 2", "yes"),
        (rows[1].id, "answer 2 of 2", "no"),
    ]


@pytest.mark.parametrize(("a", "b"), [("Yes.", "yes"), ('{"a": 1, "b": 2}', '{"b":2,"a":1}')])
def test_answers_that_differ_in_style_are_no_conflict(a: str, b: str) -> None:
    others = [chat(f"{n}", "x") for n in range(3)]

    assert data_audits.conflicting_answers([chat("q", a), chat("Q", b), *others], PARAMS).level == "ok"


def test_another_tool_is_another_question_and_other_reasoning_is_no_other_answer() -> None:
    def asked(tool: str, answer: Message) -> Row:
        return make_row(Chat([Message("user", "q"), answer], [{"name": tool}]))

    def call(city: str, reasoning: str = "") -> Message:
        weather = ToolCall(Function("weather", {"city": city}), "function")
        return Message("assistant", "", [weather], reasoning_content=reasoning)

    same = [asked("weather", call("Rome")), asked("weather", call("Rome", "hm")), asked("other", call("Bonn"))]
    assert data_audits.conflicting_answers(same, PARAMS).message == "2 questions: too few to tell."
    finding = data_audits.conflicting_answers([*same, asked("weather", call("Bonn"))], PARAMS)
    assert finding.message.startswith("1 of 2 questions have different answers")
    assert [e.answer for e in finding.examples] == ['call weather({"city":"Rome"})', 'call weather({"city":"Bonn"})']


def test_an_answer_judged_good_and_bad_is_a_conflict() -> None:
    good, bad, other = (
        make_row(Judged([Message("user", "q")], [Message("assistant", answer)], verdict))
        for answer, verdict in (("a", True), ("A.", False), ("b", True))
    )

    assert data_audits.conflicting_answers([good, other], PARAMS).level == "too_few"
    finding = data_audits.conflicting_answers([good, bad, other], PARAMS)
    assert [(e.id, e.why, e.answer) for e in finding.examples] == [(good.id, "good", "a"), (bad.id, "bad", "A.")]


def test_another_system_prompt_is_another_question() -> None:
    rows = [
        make_row(Chat([Message("system", system), Message("user", "q"), Message("assistant", system)]))
        for system in ("in French", "in German")
    ]

    assert data_audits.conflicting_answers(rows, PARAMS).message == "2 questions: too few to tell."


def test_an_answer_that_one_pair_prefers_and_another_rejects_is_a_conflict() -> None:
    assert not data_audits.conflicting_answers([pair("q", "a", "b"), pair("q", "c", "b")], PARAMS).examples

    rows = [pair("q", "a", "b"), pair("Q", "b", "c")]
    finding = data_audits.conflicting_answers(rows, PARAMS)
    shown = [(e.id, e.why, e.answer) for e in finding.examples]
    assert shown == [(rows[1].id, "chosen", "b"), (rows[0].id, "rejected", "b")]


def test_rows_with_like_questions_and_other_answers_are_shown_beside_each_other_the_most_alike_first() -> None:
    a, b, c, d = (chat(name, name) for name in "abcd")
    conflicts = [(a.id, b.id, 0.9), (b.id, a.id, 0.9), (c.id, d.id, 0.95), (a.id, "gone", 0.99)]
    report = {"out": 50}

    finding = data_audits.conflicts_of_like_questions(report, conflicts, [a, b, c, d], PARAMS)

    assert finding.level == "warning" and finding.message.startswith("4 of 50 rows ask nearly what another row asks")
    first = [(c.id, "questions 95 % alike"), (d.id, "questions 95 % alike")]
    assert [(e.id, e.why) for e in finding.examples][:2] in (first, first[::-1])
    assert {e.id for e in finding.examples[2:]} == {a.id, b.id} and len(finding.examples) == 4
    assert data_audits.conflicts_of_like_questions(report, [], [a], PARAMS).level == "ok"
    assert data_audits.conflicts_of_like_questions({"out": 3}, [], [a], PARAMS).level == "too_few"


@pytest.mark.parametrize(
    ("chosen", "rejected", "way"), [("long answer", "x", "longer"), ("x", "long answer", "shorter")]
)
def test_preferred_answers_that_are_always_longer_or_always_shorter_are_a_warning(
    chosen: str, rejected: str, way: str
) -> None:
    finding = data_audits.length_of_pairs([pair(str(n), chosen, rejected) for n in range(5)], PARAMS)

    assert finding.level == "warning" and f"is the {way} one in 5 of 5 pairs" in finding.message
    assert len(finding.examples) == 2


def test_mixed_lengths_and_few_pairs_are_no_bias() -> None:
    mixed = [pair(str(n), *(("long", "x") if n % 2 else ("x", "long"))) for n in range(6)]

    assert data_audits.length_of_pairs(mixed, PARAMS).level == "ok"
    few = data_audits.length_of_pairs([pair("q", "long", "x")] * 3, PARAMS)
    assert (few.level, few.message) == ("too_few", "3 pairs: too few to tell.")


def test_a_label_with_much_longer_answers_is_a_warning() -> None:
    rows = [chat(f"{n}", f'{{"l": "a", "why": "{"x" * 50}"}}' if n < 4 else '{"l": "b"}') for n in range(10)]
    label = data_facts.label_function({"field": "l", "counts": {"a": 4, "b": 6}})

    finding = data_audits.length_of_labels(rows, label, PARAMS)

    assert finding.level == "warning" and "1 of 2 labels" in finding.message and "a (71)" in finding.message
    assert [e.id for e in finding.examples] == [rows[0].id]
    fewer = data_audits.length_of_labels(rows[1:], label, PARAMS)  # 3 rows are fewer than min_rows
    assert (fewer.level, fewer.message) == (
        "ok", "1 of 2 labels have at least 4 rows, and none of these has much longer or shorter answers.",
    )  # fmt: skip
    few = data_audits.length_of_labels(rows[1:6], label, PARAMS)
    assert (few.level, few.message) == ("too_few", "2 labels, none with 4 rows: too few to tell.")


@pytest.mark.parametrize(
    ("answers", "shown"),
    [
        (['{"a": 1}', '{"a":2}'], ["with spaces, a in this order", "without spaces, a in this order"]),
        (['{"a": 1, "b": 2}', '{"b": 1, "a": 2}'], ["a, b in this order", "b, a in this order"]),
        (['{"a": 1}', '{\n "a": 1\n}'], ["over several lines", "with spaces"]),
        (['{"a": 1}', '```json\n{"a": 1}\n```'], ["in a code block", "with spaces"]),
        (["Refund", "refund"], ["Refund", "refund"]),
        (["refund", "refund."], ["refund", "refund."]),
        (["refund", '"refund"'], ['"refund"', "refund"]),
    ],
)
def test_one_format_in_several_styles_is_a_warning(answers: list[str], shown: list[str]) -> None:
    finding = data_audits.mixed_styles([chat(str(n), answer) for n, answer in enumerate(answers)], PARAMS)

    assert finding.level == "warning" and finding.message.startswith("1 format is in more than one style; 1 rows")
    assert sorted(e.answer for e in finding.examples) == sorted(answers)
    assert all(any(part in e.why for e in finding.examples) for part in shown)


def test_styles_of_another_kind_of_row_other_formats_and_prose_are_not_mixed() -> None:
    rows = [chat("a", '{"a": 1}'), pair("b", '{"a":1}', "x"), chat("c", '{"c":1}'), chat("d", "Prose. " * 20)]

    few = data_audits.mixed_styles(rows, PARAMS)
    assert (few.level, few.message) == ("too_few", "3 short answers and JSON objects: too few to tell.")
    assert data_audits.mixed_styles([*rows, chat("e", '{"c":2}')], PARAMS).level == "ok"


def test_a_label_of_most_rows_is_a_warning() -> None:
    rows = [chat(str(n), "a" if n < 4 else "b") for n in range(6)]

    finding = data_audits.dominant_label(rows, labels("a", "b"), PARAMS)
    assert (finding.level, finding.message) == ("warning", "a has 4 of 6 rows, the most of 2 labels.")
    assert [e.id for e in finding.examples] == [rows[0].id, rows[1].id]
    assert data_audits.dominant_label(rows[2:], labels("a", "b"), PARAMS).level == "ok"
    few = data_audits.dominant_label(rows[:3], labels("a", "b"), PARAMS)
    assert (few.level, few.message) == ("too_few", "3 rows with a label: too few to tell.")


@pytest.mark.parametrize(("dropped", "level"), [(10, "ok"), (11, "warning"), (30, "warning"), (31, "serious")])
def test_many_duplicates_are_a_warning_and_very_many_a_serious_one(dropped: int, level: str) -> None:
    kept, other = chat("kept", "a"), chat("other", "b")
    report = {"in": 100, "dropped": {"near_duplicate": dropped}}

    finding = data_audits.many_duplicates(report, [kept.id] * (dropped - 1) + [other.id, "gone"], [other, kept], PARAMS)

    assert finding.level == level
    shown = [(e.id, e.why) for e in finding.examples]
    assert shown == (
        [] if level == "ok" else [(kept.id, f"stands for {dropped} rows"), (other.id, "stands for 2 rows")]
    )


def test_three_rows_are_too_few_for_a_share_of_duplicates() -> None:
    finding = data_audits.many_duplicates({"in": 3, "dropped": {"near_duplicate": 2}}, [], [], PARAMS)

    assert (finding.level, finding.message) == ("too_few", "3 rows: too few to tell.")


def test_without_rows_no_audit_can_tell() -> None:
    findings = [
        data_audits.conflicting_answers([], PARAMS), data_audits.length_of_pairs([], PARAMS),
        data_audits.length_of_labels([], labels(), PARAMS),
        data_audits.mixed_styles([], PARAMS), data_audits.dominant_label([], labels(), PARAMS),
        data_audits.many_duplicates({"in": 0, "dropped": {}}, [], [], PARAMS),
    ]  # fmt: skip

    assert {finding.level for finding in findings} == {"too_few"}
