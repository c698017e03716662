"""Parity of a quantized file with its model: it passes within both bounds, else `why` names those it breaks."""

from typing import Any

import pytest

from stages import parity
from stages.evaluating import scoring
from stages.params.release import Parity

BOUNDS = Parity(max_difference=0.1, min_same_answers=0.8)


def answers(*pairs: tuple[str, float]) -> list[scoring.Answer]:
    return [
        scoring.Answer(str(i), "prompt", "expected", text, {"exact_match": (right, 1.0), "slot_f1.a": (2 * right, 2.0)})
        for i, (text, right) in enumerate(pairs)
    ]


MODEL = answers(*[("yes", 1.0)] * 8, *[("no", 0.0)] * 2)


def compare(*pairs: tuple[str, float]) -> dict[str, Any]:
    return parity.compare(answers(*pairs), MODEL, 0, BOUNDS)


def test_a_file_with_the_same_answers_passes_without_a_difference() -> None:
    result = parity.compare(MODEL, MODEL, 0, BOUNDS)

    assert result == {
        "verdict": "pass",
        "why": [],
        "rows": 10,
        "changed_prompts": 0,
        "same_answers": 1.0,
        "metrics": {
            "exact_match": {"model": 0.8, "file": 0.8, "difference": 0.0},
            "slot_f1.a": {"model": 0.8, "file": 0.8, "difference": 0.0},
        },
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

    assert parity.compare(other, MODEL, 0, bounds)["verdict"] == "pass"


def test_why_names_both_broken_bounds() -> None:
    assert len(compare(*[("", 0.0)] * 10)["why"]) == 2


def test_a_failure_says_that_prompts_were_changed() -> None:
    failed = parity.compare(answers(*[("", 0.0)] * 10), MODEL, 3, BOUNDS)

    assert failed["why"][-1] == "3 prompts are not those of training (docs/metrics.md)"
    assert parity.compare(MODEL, MODEL, 3, BOUNDS)["why"] == []


def test_answers_to_different_numbers_of_rows_are_never_compared() -> None:
    with pytest.raises(ValueError, match="zip"):
        compare(("yes", 1.0))
