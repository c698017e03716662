"""The quantized file's answers against its model's: within both bounds it passes, else it says which it broke."""

from typing import Any

import pytest

from stages import parity
from stages.evaluating import scoring
from stages.params.release import InLlamaCpp

BOUNDS = InLlamaCpp(max_difference=0.1, min_same_answers=0.8, context_tokens=512)


def answers(*given: tuple[str, float]) -> list[scoring.Answer]:
    return [
        scoring.Answer(str(i), "prompt", "expected", text, {"exact_match": (right, 1.0), "slot_f1.a": (2 * right, 2.0)})
        for i, (text, right) in enumerate(given)
    ]


MODEL = answers(*[("yes", 1.0)] * 8, *[("no", 0.0)] * 2)


def judge(*given: tuple[str, float]) -> dict[str, Any]:
    return parity.compare(answers(*given), MODEL, BOUNDS)


def test_a_file_that_answers_alike_passes_with_no_difference() -> None:
    found = parity.compare(MODEL, MODEL, BOUNDS)

    assert found == {
        "verdict": "pass",
        "why": [],
        "rows": 10,
        "same_answers": 1.0,
        "metrics": {
            "exact_match": {"model": 0.8, "file": 0.8, "difference": 0.0},
            "slot_f1.a": {"model": 0.8, "file": 0.8, "difference": 0.0},
        },
    }


def test_a_file_on_both_bounds_still_passes() -> None:
    found = judge(*[("yes", 1.0)] * 7, ("other", 0.0), ("no", 0.0), ("nay", 0.0))

    assert (found["verdict"], found["same_answers"]) == ("pass", 0.8)
    assert found["metrics"]["exact_match"] == {"model": 0.8, "file": 0.7, "difference": -0.1}


def test_other_answers_that_are_as_often_right_fail_for_not_being_the_same() -> None:
    found = judge(*[("yes", 1.0)] * 7, ("aye", 1.0), ("nay", 0.0), ("never", 0.0))

    assert found["verdict"] == "fail"
    assert found["why"] == ["0.7000 of answers are the same, at least 0.8 must be"]


@pytest.mark.parametrize("right", [0.0, 1.0])
def test_a_difference_of_exact_match_fails_in_either_direction(right: float) -> None:
    given = [("yes", right)] * 2 + [("yes", 1.0)] * 6 + [("no", right)] * 2

    found = judge(*given)

    assert found["verdict"] == "fail"
    assert found["why"] == ["exact_match differs by 0.2000, at most 0.1 is allowed"]


def test_a_type_that_promises_no_equal_answers_is_held_to_its_metric_alone() -> None:
    bounds = InLlamaCpp(max_difference=0.1, min_same_answers=None, context_tokens=512)
    other = answers(*[("aye", 1.0)] * 8, *[("nay", 0.0)] * 2)

    assert parity.compare(other, MODEL, bounds)["verdict"] == "pass"


def test_both_reasons_are_told() -> None:
    assert len(judge(*[("", 0.0)] * 10)["why"]) == 2


def test_answers_to_other_rows_are_never_set_side_by_side() -> None:
    with pytest.raises(ValueError, match="zip"):
        judge(("yes", 1.0))
