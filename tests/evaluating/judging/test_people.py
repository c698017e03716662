"""People see answers in the order of a hash; their marks count up to the first that is missing."""

import msgspec

from stages.evaluating.judging import people
from stages.evaluating.judging.people import Shown
from stages.params.judging import Pairwise, Pointwise
from tests.evaluating.judging.judges import answers

MARKS = Pointwise("", ["bad", "fair", "good"])
PAIR = Pairwise("")
TEA, OTHERS = ("Tea?", "Hot."), [("Pie?", f"Pie {i}") for i in range(6)]


def test_equal_answers_to_a_question_are_shown_once_and_of_pairs_not_at_all() -> None:
    own = answers(TEA, TEA, *OTHERS)

    single = people.shown(MARKS, own, own, seed=0)
    pairs = people.shown(PAIR, own, answers(TEA, TEA, *OTHERS[1:], TEA), seed=0)

    assert sorted(item.rows for item in single) == [[0, 1], [2], [3], [4], [5], [6], [7]]
    assert sorted(item.rows for item in pairs) == [[2], [3], [4], [5], [6], [7]]


def test_one_more_answer_moves_no_other_and_another_seed_moves_all() -> None:
    fewer, more = (people.shown(MARKS, answers(TEA, *OTHERS[:n]), [], 0) for n in (5, 6))
    ids = [item.id for item in fewer]

    assert [item.id for item in more if item.id in ids] == ids
    assert [item.id for item in people.shown(MARKS, answers(TEA, *OTHERS[:5]), [], 1)] != ids


def test_marks_count_up_to_the_first_that_is_missing() -> None:
    shown = [Shown(name, [i], "") for i, name in enumerate("abcd")]

    assert people.counted(shown, {"a": "good", "b": "bad", "d": "good", "old": "bad"}) == shown[:2]
    assert people.counted(shown, {"b": "good"}) == []


def test_the_score_of_a_pair_is_that_of_the_models_side() -> None:
    item = Shown("a", [0], "right")

    assert [people.score(PAIR, mark, item) for mark in ("left", "equal", "right")] == [0, 0.5, 1]
    assert [people.score(MARKS, mark, item) for mark in MARKS.marks] == [0, 0.5, 1]


def test_the_side_of_the_models_answer_is_where_it_is_shown() -> None:
    own, others = answers(*[("Pie?", f"ours {i}") for i in range(20)]), answers(*[("Pie?", "theirs")] * 20)

    sides = {item.first for item in people.shown(PAIR, own, others, seed=0)}

    assert sides == {"left", "right"}


def test_most_people_decide_and_of_as_many_the_worst_mark() -> None:
    assert people.majority(MARKS, ["good", "bad", "good"]) == "good"
    assert people.majority(MARKS, ["good", "fair"]) == "fair"
    assert people.majority(PAIR, ["left", "right"]) == people.majority(PAIR, ["equal"]) == "equal"
    assert people.majority(PAIR, ["left", "equal"]) == people.majority(PAIR, ["left", "right", "equal"]) == "equal"
    assert people.majority(PAIR, ["left", "equal", "equal", "equal", "equal"]) == "equal"
    assert people.majority(PAIR, ["left", "left", "right", "equal"]) == "left"


def test_an_answer_to_rows_that_expect_something_else_is_shown_for_each() -> None:
    """One mark can't say whether it is right for both."""
    hot, cold = answers(TEA)[0], msgspec.structs.replace(answers(TEA)[0], expected="Cold.")

    assert sorted(item.rows for item in people.shown(MARKS, [hot, cold, hot], [], 0)) == [[0, 2], [1]]
