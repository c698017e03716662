"""Parity of a quantized file with its model: it passes within all bounds, else `why` names those it breaks."""

from typing import Any

import pytest

from stages import parity
from stages.evaluating import scoring
from stages.params.release import Parity

BOUNDS = Parity(max_difference=0.1, min_same_answers=0.8)
BETTER = {"exact_match": "higher", "slot_f1.a": "higher"}
PREDICTIONS = {
    "tokens": 4, "mean_kl": 0.01, "kl_99_9": 0.2, "same_top": 0.99, "nmse": 0.003,
    "perplexity": {"model": 2.0, "file": 2.1}, "perplexity_ratio": 1.05, "rows_left_out": 0,
}  # fmt: skip
FIGURES = {"prompts": {"changed": 0}, "predictions": PREDICTIONS, "tensors": {"Q8_0": 3}}
CHANGED = FIGURES | {"prompts": {"changed": 3}}


def answers(*pairs: tuple[str, float]) -> list[scoring.Answer]:
    return [
        scoring.Answer(str(i), "prompt", "expected", text, {"exact_match": (right, 1.0), "slot_f1.a": (2 * right, 2.0)})
        for i, (text, right) in enumerate(pairs)
    ]


MODEL = answers(*[("yes", 1.0)] * 8, *[("no", 0.0)] * 2)


def compare(*pairs: tuple[str, float]) -> dict[str, Any]:
    return parity.compare(answers(*pairs), MODEL, FIGURES, BETTER, BOUNDS)


def test_a_file_with_the_same_answers_passes_without_a_difference() -> None:
    result = parity.compare(MODEL, MODEL, FIGURES, BETTER, BOUNDS)

    assert result == {
        "verdict": "pass",
        "why": [],
        "rows": 10,
        "same_answers": 1.0,
        "metrics": {
            "exact_match": {"model": 0.8, "file": 0.8, "difference": 0.0},
            "slot_f1.a": {"model": 0.8, "file": 0.8, "difference": 0.0},
        },
        **FIGURES,
    }


def test_a_file_on_both_bounds_still_passes() -> None:
    result = compare(*[("yes", 1.0)] * 7, ("other", 0.0), ("no", 0.0), ("nay", 0.0))

    assert (result["verdict"], result["same_answers"]) == ("pass", 0.8)
    assert result["metrics"]["exact_match"] == {"model": 0.8, "file": 0.7, "difference": -0.1}


def test_different_answers_fail_even_if_as_many_are_right() -> None:
    result = compare(*[("yes", 1.0)] * 7, ("aye", 1.0), ("nay", 0.0), ("never", 0.0))

    assert result["verdict"] == "fail"
    assert result["why"] == ["0.7000 of answers are the same, at least 0.8 must be"]


@pytest.mark.parametrize("right", [0.0, 1.0])
def test_a_difference_of_exact_match_fails_in_either_direction(right: float) -> None:
    pairs = [("yes", right)] * 2 + [("yes", 1.0)] * 6 + [("no", right)] * 2

    result = compare(*pairs)

    assert result["verdict"] == "fail"
    assert result["why"] == ["exact_match differs by 0.2000, at most 0.1 is allowed"]


def test_without_min_same_answers_only_the_metric_counts() -> None:
    bounds = Parity(max_difference=0.1, min_same_answers=None)
    other = answers(*[("aye", 1.0)] * 8, *[("nay", 0.0)] * 2)

    assert parity.compare(other, MODEL, FIGURES, BETTER, bounds)["verdict"] == "pass"


def test_why_names_both_broken_bounds() -> None:
    assert len(compare(*[("", 0.0)] * 10)["why"]) == 2


def test_a_failure_says_that_prompts_were_changed() -> None:
    failed = parity.compare(answers(*[("", 0.0)] * 10), MODEL, CHANGED, BETTER, BOUNDS)

    assert failed["why"][-1] == "3 prompts are not those of training (docs/parity.md)"
    assert parity.compare(MODEL, MODEL, CHANGED, BETTER, BOUNDS)["why"] == []


def broken(figures: dict[str, Any] = FIGURES, file: list[scoring.Answer] = MODEL, **bounds: Any) -> list[str]:
    """Why equal answers fail under bounds besides those on answers."""
    within = Parity(max_difference=1.0, min_same_answers=None, **bounds)
    return parity.compare(file, MODEL, figures, BETTER | {"slot_f1.a": "lower"}, within)["why"]


@pytest.mark.parametrize(
    ("bound", "met", "missed", "why"),
    [
        ("max_mean_kl", 0.01, 0.009, "mean KL divergence is 0.01: want at most 0.009"),
        ("max_kl_99_9", 0.2, 0.1, "99.9 % KL divergence is 0.2: want at most 0.1"),
        ("min_same_top", 0.99, 1.0, "share of tokens with the same likeliest token is 0.99: want at least 1"),
        ("max_nmse", 0.003, 0.0, "NMSE of the logits is 0.003: want at most 0"),
        ("max_perplexity_ratio", 1.05, 1.04, "perplexity over that of the model is 1.05: want at most 1.04"),
    ],
)
def test_each_bound_on_predictions_has_its_direction(bound: str, met: float, missed: float, why: str) -> None:
    assert broken(**{bound: met}) == []
    assert broken(**{bound: missed}) == [why]


def test_a_bound_on_predictions_of_which_there_are_none_is_not_met() -> None:
    nothing = FIGURES | {"predictions": {"tokens": 0, "rows_left_out": 10}}

    assert broken(nothing, max_mean_kl=9.0) == [
        "mean KL divergence: no token was predicted, so max_mean_kl = 9 is not shown"
    ]
    assert broken(nothing) == []


def test_more_changed_prompts_than_are_allowed_fail() -> None:
    assert broken(CHANGED, max_changed_prompts=3) == []
    assert broken(CHANGED, max_changed_prompts=2) == ["3 prompts are not those of training, at most 2 may be"]


def test_a_metric_may_be_better_and_worse_only_by_what_is_allowed() -> None:
    half = answers(*[("yes", 1.0)] * 5, *[("no", 0.0)] * 5)  # 0.5 of both metrics, and their model 0.8

    assert broken(file=half, max_losses={"slot_f1.a": 0.0}) == []  # less of it is better, here
    assert broken(file=half, max_losses={"exact_match": 0.31}) == []
    assert broken(file=half, max_losses={"exact_match": 0.2}) == [
        "exact_match is worse by 0.3000, at most 0.2 is allowed"
    ]
    assert broken(file=half, max_losses={"compact": 0.2}) == [
        "compact has no value: want one, of which at most 0.2 may be lost"
    ]


def test_bounds_that_an_older_params_yaml_lacks_are_none() -> None:
    assert broken(CHANGED | {"predictions": {"tokens": 0, "rows_left_out": 10}}) == []


def test_answers_to_different_numbers_of_rows_are_never_compared() -> None:
    with pytest.raises(ValueError, match="zip"):
        compare(("yes", 1.0))
