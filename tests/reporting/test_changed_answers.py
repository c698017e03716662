"""Which answers builds lost and won, and which of them are shown."""

from stages.evaluating.scoring import Answer
from stages.reporting import changed_answers
from stages.reporting.changed_answers import Count


def build(*right: bool, words: str = "y") -> list[Answer]:
    """Answers to the questions 0, 1, …"""
    return [Answer(f"{n}", f"question {n}", "x", words, {"hits": (float(r), 1.0)}) for n, r in enumerate(right)]


def test_a_build_loses_and_wins_answers_against_the_first() -> None:
    answers = {"a": build(True, True, False, False), "b": build(True, False, True, False, words="z"),
               "c": build(False, True, False, False)}  # fmt: skip

    changed, counts = changed_answers.changed(answers, "hits", 10)

    assert counts == {"b": Count(lost=1, won=1, reworded=2), "c": Count(lost=1, won=0, reworded=0)}
    assert [(change.question.id, change.lost, change.won) for change in changed] == [
        ("0", ["c"], []),
        ("1", ["b"], []),
        ("2", [], ["b"]),
    ]
    groups = [(group.given_by, group.right) for group in changed[0].question.answers]
    assert groups == [(("a",), True), (("b",), True), (("c",), False)]


def test_lost_answers_come_first_and_are_half_of_those_shown_unless_too_few_were_won() -> None:
    first, other = build(*[True] * 6, *[False] * 3), build(*[False] * 6, *[True] * 3)

    assert [c.question.id for c in changed_answers.changed({"a": first, "b": other}, "hits", 4)[0]] == list("0167")
    assert [c.question.id for c in changed_answers.changed({"a": first, "b": other}, "hits", 8)[0]] == list("01234678")


def test_only_questions_that_all_builds_answered_count() -> None:
    changed, counts = changed_answers.changed({"a": build(True, True), "b": build(False)}, "hits", 10)

    assert [change.question.id for change in changed] == ["0"]
    assert counts == {"b": Count(1, 0, 0)}
