"""Conflicts: like questions, and answers that do not agree."""

import msgspec

from stages import dedup
from stages.rows.row import Judged, Message, Pair, Row, make_row
from tests.test_dedup import LONG, OTHER, PARAMS, TYPO, by_id, chat


def test_like_questions_with_other_answers_are_kept_and_reported() -> None:
    rows = [chat(LONG, "", "You will get it on Tuesday."), chat(TYPO, "", "It is lost."), chat(OTHER)]

    duplicates, conflicts = dedup.find_duplicates(rows, PARAMS)

    a, b = sorted(row.id for row in rows[:2])
    assert duplicates == []
    assert [conflict[:2] for conflict in conflicts] == [(a, b), (b, a)]


def test_conflicting_rows_are_dropped_on_request() -> None:
    kept, dropped = by_id(chat(LONG, "", "You will get it on Tuesday."), chat(LONG, "", "It is lost."))
    params = msgspec.structs.replace(PARAMS, conflicting="drop")

    assert dedup.find_duplicates([kept, dropped, chat(OTHER)], params) == (
        [(dropped.id, kept.id, "conflicting", 1.0)], [],
    )  # fmt: skip


def test_a_good_and_a_bad_answer_that_are_the_same_conflict() -> None:
    question, answers = [Message("user", LONG)], [[Message("assistant", text)] for text in (OTHER, "It is lost.")]
    good, bad, other = (
        make_row(Judged(question, *judged)) for judged in ((answers[0], True), (answers[0], False), (answers[1], False))
    )

    duplicates, conflicts = dedup.find_duplicates([good, bad, other], PARAMS)

    assert duplicates == [] and {conflict.id for conflict in conflicts} == {good.id, bad.id}


def test_pairs_are_compared_by_question_chosen_and_rejected() -> None:
    def pair(chosen: str, rejected: str, question: str = LONG) -> Row:
        return make_row(
            Pair([Message("user", question)], [Message("assistant", chosen)], [Message("assistant", rejected)])
        )

    row, copy, other, swapped = (
        pair(LONG, OTHER), pair(TYPO, OTHER, TYPO), pair(LONG, "It is lost."), pair(OTHER, LONG),
    )  # fmt: skip
    duplicates, conflicts = dedup.find_duplicates([row, copy, other, swapped], PARAMS)

    assert {duplicates[0].id, duplicates[0].kept} == {row.id, copy.id} and len(duplicates) == 1
    assert {conflict.id for conflict in conflicts} == {duplicates[0].kept, other.id, swapped.id}


def test_rows_with_other_system_prompts_or_tools_do_not_conflict() -> None:
    pirate, judge = chat(LONG, "", "Aye.", "Answer as a pirate."), chat(LONG, "", "Yes.", "Answer as a judge.")
    tools = [msgspec.structs.replace(chat(LONG, "", answer).content, tools=[{"name": answer}]) for answer in ("a", "b")]

    assert dedup.find_duplicates([pirate, judge, *map(make_row, tools)], PARAMS) == ([], [])


def test_answers_that_differ_in_a_number_conflict() -> None:
    rows = [chat(LONG, "", f"{OTHER} {OTHER.lower()} That is {n}.") for n in (18, 19)]

    duplicates, conflicts = dedup.find_duplicates(rows, PARAMS)

    assert duplicates == [] and {conflict.id for conflict in conflicts} == {row.id for row in rows}
