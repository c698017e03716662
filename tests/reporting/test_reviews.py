"""Blind review: what is shown tells nothing of the models, and choices are read back to them."""

import pytest

from stages.evaluating.scoring import Answer
from stages.reporting import reviews
from stages.reporting.annotations import Annotation


def answers(*texts: str) -> list[Answer]:
    return [Answer(f"row{i}", f"question {i}", "", text, {}) for i, text in enumerate(texts)]


MANY = answers(*(f"a{i}" for i in range(200))), answers(*(f"b{i}" for i in range(200)))


def chosen(pairs: list[reviews.Pair], choices: dict[str, str]) -> dict[str, Annotation]:
    """Annotations of those pairs whose question is named: `first`, `second` or `equal`."""
    other = {"left": "right", "right": "left"}
    sides = {pair.question: {"first": pair.first, "second": other[pair.first], "equal": "equal"} for pair in pairs}
    ids = {pair.question: pair.id for pair in pairs}
    return {ids[question]: Annotation(sides[question][choice], "") for question, choice in choices.items()}


def test_equal_answers_are_no_pair() -> None:
    shown = reviews.pairs(answers("x", "same", "y"), answers("z", "same", "y "), seed=0)

    assert {(pair.question, *sorted([pair.left, pair.right])) for pair in shown} == {
        ("question 0", "x", "z"), ("question 2", "y", "y "),
    }  # fmt: skip


def test_sides_and_order_are_drawn_and_stay_when_a_row_is_added_or_models_are_named_the_other_way() -> None:
    first, second = MANY
    shown = reviews.pairs(first, second, seed=1)

    left = sum(pair.first == "left" for pair in shown)
    assert 80 < left < 120 and [pair.question for pair in shown] != [answer.prompt for answer in first]
    assert all((pair.left if pair.first == "left" else pair.right).startswith("a") for pair in shown)
    fewer = reviews.pairs(first[:-1], second[:-1], seed=1)
    assert [pair for pair in shown if pair.question != "question 199"] == fewer
    turned = reviews.pairs(second, first, seed=1)
    assert [pair[:4] for pair in turned] == [pair[:4] for pair in shown]
    assert all(one.first != other.first for one, other in zip(shown, turned, strict=True))
    assert [pair.id for pair in reviews.pairs(first, second, seed=2)] != [pair.id for pair in shown]


def test_the_win_rate_of_one_reviewer_counts_equal_pairs_half() -> None:
    shown = reviews.pairs(*MANY, seed=1)
    choices = dict.fromkeys((f"question {i}" for i in range(5)), "first") | {
        "question 5": "second",
        "question 6": "equal",
    }
    choices |= {f"question {i}": "second" for i in range(7, 10)}

    made = reviews.results(shown, {"anna": chosen(shown, choices)})

    assert (made["pairs"], made["won"], made["lost"], made["equal"], made["gone"]) == (10, 5, 4, 1, 0)
    assert made["rate"] == 0.55 and made["of"] == 9 and made["reviewers"] == {"anna": 10}
    assert (made["low"], made["high"]) == (pytest.approx(0.2751, abs=0.02), pytest.approx(0.7973, abs=0.02))
    turned = reviews.pairs(MANY[1], MANY[0], seed=1)
    assert reviews.results(turned, {"anna": chosen(shown, choices)})["rate"] == 0.45


def test_the_majority_decides_and_agreement_is_told() -> None:
    shown = reviews.pairs(*MANY, seed=1)
    made = reviews.results(shown, {
        "anna": chosen(shown, {"question 0": "first", "question 1": "first", "question 2": "first"}),
        "ben": chosen(shown, {"question 0": "first", "question 1": "second", "question 2": "equal"}),
        "cara": chosen(shown, {"question 0": "second"}),
    })  # fmt: skip

    assert (made["pairs"], made["won"], made["lost"], made["equal"]) == (3, 1, 0, 2)
    assert made["rate"] == round(2 / 3, 4)
    assert [(pair["annotators"], pair["rows"], pair["same"]) for pair in made["agreement"]] == [
        (["anna", "ben"], 3, 1), (["anna", "cara"], 1, 0), (["ben", "cara"], 1, 0),
    ]  # fmt: skip


def test_most_reviewers_who_find_a_pair_equal_make_it_equal() -> None:
    shown = reviews.pairs(*MANY, seed=1)
    by_name = {name: chosen(shown, {"question 0": "equal", "question 1": "second"}) for name in ("ben", "cara", "dan")}
    made = reviews.results(shown, {"anna": chosen(shown, {"question 0": "first", "question 1": "first"}), **by_name})

    assert (made["pairs"], made["won"], made["lost"], made["equal"]) == (2, 0, 1, 1)


def test_choices_of_answers_that_changed_are_counted_and_left_out() -> None:
    shown = reviews.pairs(*MANY, seed=1)
    annotated = chosen(shown, {"question 0": "first", "question 1": "first"})
    renewed = [answer if answer.id != "row0" else Answer("row0", answer.prompt, "", "new", {}) for answer in MANY[0]]

    made = reviews.results(reviews.pairs(renewed, MANY[1], seed=1), {"anna": annotated})

    assert (made["pairs"], made["won"], made["gone"]) == (1, 1, 1)


def test_choices_on_another_seeds_page_are_never_read_with_their_sides_changed() -> None:
    chosen_all = chosen(reviews.pairs(*MANY, seed=1), {f"question {i}": "first" for i in range(200)})

    made = reviews.results(reviews.pairs(*MANY, seed=2), {"anna": chosen_all})

    assert made["won"] == made["pairs"] == 200 - made["gone"]
    assert 80 < made["gone"] < 120  # those whose sides changed


def test_nobody_has_judged_yet() -> None:
    made = reviews.results(reviews.pairs(*MANY, seed=1), {})

    assert (made["pairs"], made["rate"], made["left_share"], made["agreement"], made["kappa"]) == (
        0,
        None,
        None,
        [],
        None,
    )
