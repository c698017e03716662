"""Conflicts: like questions, and answers that do not agree."""

import msgspec
import pytest

from stages import dedup
from stages.rows.row import Judged, Message, Pair, Row, make_row
from tests.test_dedup import LONG, OTHER, PARAMS, TYPO, by_id, chat


def test_like_questions_with_other_answers_are_kept_and_reported() -> None:
    rows = [chat(LONG, "", "You will get it on Tuesday."), chat(TYPO, "", "It is lost."), chat(OTHER)]

    duplicates, conflicts = dedup.find_duplicates(rows, PARAMS)

    a, b = sorted(row.id for row in rows[:2])
    assert duplicates == []
    assert [conflict[:3] for conflict in conflicts] == [(a, b, "other_answers"), (b, a, "other_answers")]


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
        pair(LONG, OTHER), pair(LONG, OTHER, TYPO), pair(LONG, "It is lost."), pair(OTHER, LONG),
    )  # fmt: skip
    duplicates, conflicts = dedup.find_duplicates([row, copy, other, swapped], PARAMS)

    assert {duplicates[0].id, duplicates[0].kept} == {row.id, copy.id} and len(duplicates) == 1
    assert {conflict.id for conflict in conflicts} == {duplicates[0].kept, other.id, swapped.id}


def test_rows_with_other_system_prompts_or_tools_do_not_conflict() -> None:
    pirate, judge = chat(LONG, "", "Aye.", "Answer as a pirate."), chat(LONG, "", "Yes.", "Answer as a judge.")
    tools = [msgspec.structs.replace(chat(LONG, "", answer).content, tools=[{"name": answer}]) for answer in ("a", "b")]

    assert dedup.find_duplicates([pirate, judge, *map(make_row, tools)], PARAMS) == ([], [])


SYSTEM = f"You always answer in English. {OTHER} {OTHER.upper()}"
ASKED = f"In {LONG.lower()} Is it in the kitchen?"
ANSWER = f"{OTHER} {OTHER.lower()}"


@pytest.mark.parametrize(
    ("texts", "others", "reason"),
    [
        ((LONG, f"{ANSWER} That is 18."), (LONG, f"{ANSWER} That is 19."), "other_answers"),
        ((LONG, f"Always. {ANSWER}"), (LONG, f"Never. {ANSWER}"), "other_answers"),
        ((LONG, f"{ANSWER} It is a >= b."), (LONG, f"{ANSWER} It is a <= b."), "other_answers"),
        ((LONG, f"{ANSWER} Seventeen."), (LONG, f"{ANSWER} Seventy."), "other_answers"),
        (
            (ASKED, f"{ANSWER} In the kitchen."),
            (ASKED.replace("kitchen", "bedroom"), f"{ANSWER} In the bedroom."),
            "other_answers",
        ),
        ((f"{ASKED} For 5?", "ok"), (f"{ASKED} For 6?", "ok"), "other_words"),
        ((ASKED, "ok", SYSTEM), (ASKED, "ok", SYSTEM.replace("always", "never")), "other_words"),
    ],
)
def test_rows_alike_but_for_a_word_that_counts_are_kept_and_reported(
    texts: tuple[str, ...], others: tuple[str, ...], reason: str
) -> None:
    rows = [chat(text[0], "", *text[1:]) for text in (texts, others)]

    duplicates, conflicts = dedup.find_duplicates(rows, msgspec.structs.replace(PARAMS, conflicting="keep"))

    assert duplicates == [] and {conflict.id for conflict in conflicts} == {row.id for row in rows}
    assert {conflict.reason for conflict in conflicts} == {reason}


def test_only_other_answers_are_dropped_on_request() -> None:
    rows = [chat(f"{ASKED} For {n}?") for n in (5, 6)]

    duplicates, conflicts = dedup.find_duplicates(rows, msgspec.structs.replace(PARAMS, conflicting="drop"))

    assert duplicates == [] and len(conflicts) == 2
