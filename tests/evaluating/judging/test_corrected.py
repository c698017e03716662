"""A judge's mean, corrected by people's marks, says what people would say; its interval knows how little they saw."""

from typing import Any

import numpy as np
import pytest

from stages.evaluating import evidence, gates, metrics, resampling, scoring
from stages.evaluating.gates import Measured
from stages.evaluating.judging import corrected
from stages.params.evaluation import Compare, Gate

NAME = "judged_corrected.kindness"


def sums(*rows: tuple[float, float | None]) -> np.ndarray:
    """(rows, 5) of (judge's score, people's or None)."""
    return np.array([corrected.statistics(judge, people, True) for judge, people in rows])


def test_the_mean_error_on_marked_answers_is_taken_off_all() -> None:
    """The judge's mean is 3/4; on two answers it is above people by 0 and 1; so 3/4 - 1/2."""
    rows = sums((1, 1), (1, 0), (1, None), (0, None))

    assert metrics.value(NAME, rows.sum(axis=0)) == pytest.approx(0.25)
    assert metrics.value("judged.kindness", (3, 4)) == 0.75


def test_answers_that_cannot_be_judged_otherwise_are_not_corrected() -> None:
    """(6 + 4 · -1/2) / 10: ten rows, four of them pairs of different answers, two of these marked."""
    assert metrics.value(NAME, (6, 10, -1, 2, 4)) == pytest.approx(0.4)
    assert metrics.value(NAME, (5, 10, 0, 0, 0)) == 0.5, "all pairs are equal"


def test_without_marks_there_is_no_value() -> None:
    assert metrics.value(NAME, (3, 4, 0, 0, 4)) == metrics.value(NAME, (0, 0, 0, 0, 0)) == 0


def test_a_marked_answer_counts_for_those_that_are_not() -> None:
    rows = sums((1, 1), (1, 0), (1, None), (0, None))

    assert metrics.weights(NAME, rows, np.ones(4)).tolist() == [2, 2, 1, 1]
    assert resampling.span(NAME, 0, 1, rows, np.ones(4)) == 2
    assert metrics.weights("exact_match", np.array([[1.0, 1], [0, 3]]), np.ones(2)).tolist() == [0.5, 1.5]


def test_the_interval_has_the_variance_of_prediction_powered_inference() -> None:
    """Of each row (f - mean f) + N/n · (e - mean e) where it is marked, by the delta method."""
    rng = np.random.default_rng(1)
    judge, people, marked = rng.random(400), rng.random(400), np.arange(400) < 100
    rows = sums(*[(f, y if m else None) for f, y, m in zip(judge, people, marked, strict=True)])

    moves = resampling.of_model(NAME, rows, 4.0, 10, seed=1).moves

    errors = np.where(marked, people - judge, 0)
    wanted = judge - judge.mean() + 4 * marked * (errors - errors[marked].mean())
    assert moves == pytest.approx(wanted, abs=0.05)
    assert corrected.moves_of_marks(rows) == pytest.approx(4 * marked * (errors - errors[marked].mean()))
    of_parts = judge.var() / 400 + errors[marked].var() / 100  # of separate samples, as in the paper
    shared = 2 * np.cov(judge[marked], errors[marked], bias=True)[0, 1] / 400  # the marked are among all
    assert moves.var() / 400 == pytest.approx(of_parts + shared, rel=0.05)


def test_corrected_intervals_hold_the_truth_that_the_judges_own_miss() -> None:
    """A generous judge: one of four answers that people find bad is good to it. The truth is 0.6."""
    rng = np.random.default_rng(2)
    people = (rng.random((300, 500)) < 0.6).astype(float)
    judge = np.where(rng.random(people.shape) < 0.25, 1.0, people)
    marked = np.arange(500) < 100
    rows = np.stack(
        [judge, np.ones_like(judge), (people - judge) * marked, marked + 0 * judge, np.ones_like(judge)], axis=-1
    )
    alone = resampling.of_model("judged.kindness", rows[..., :2], 1.0, 10, seed=1)
    by_people = resampling.of_model(NAME, rows, resampling.span(NAME, 0, 1, rows, np.ones(500)), 10, seed=1)

    def held(sample: resampling.Sample) -> float:
        low, high = evidence.low(sample, 0.025), -evidence.low(sample.mirrored(), 0.025)
        return float(((low <= 0.6) & (high >= 0.6)).mean())

    assert held(alone) < 0.1
    assert held(by_people) > 0.93
    assert by_people.value.mean() == pytest.approx(0.6, abs=0.005)
    only_marked = people[:, :100].mean(axis=1)
    assert by_people.value.std() < 0.85 * only_marked.std(), "the judge's marks of the others help"


def answers(rows: np.ndarray) -> list[scoring.Answer]:
    return [scoring.Answer(f"id{i}", f"q{i}", "e", "a", {NAME: tuple(row)}) for i, row in enumerate(rows.tolist())]


def judge(gate: Gate, models: dict[str, list[scoring.Answer]], **seeds: list[str]) -> dict[str, Any]:
    params = Compare(
        suite="chat", baseline="base", bootstrap_samples=400, confidence=0.95, looks=1, power=0.8, seed=1, min_rows=1,
        gates={"kind": gate}, seeds=seeds,
    )  # fmt: skip
    declared = {NAME: metrics.Metric("higher", 0, 1, "")._asdict()}
    return gates.judge({"chat": Measured(models, declared)}, params)["kind"]


@pytest.mark.parametrize(("marked", "verdict"), [(5, "INCONCLUSIVE"), (150, "ALLOW")])
def test_a_gate_believes_a_judge_as_far_as_people_bear_it_out(marked: int, verdict: str) -> None:
    rows = sums(*[(1, 1)] * marked, *[(1, None)] * (200 - marked))

    found = judge(Gate("sft", NAME, None, 0.8, None), {"sft": answers(rows)})

    assert (found["verdict"], found["value"]) == (verdict, 1.0)


MARKED = answers(sums(*[(1, 1)] * 100, *[(1, None)] * 100))
UNMARKED = {  # as `judge` writes them: nobody marked anything, or answers alone that the judge gave no mark
    "none": answers(np.array([corrected.UNCOUNTED] * 200)),
    "elsewhere": answers(np.array([corrected.UNCOUNTED, *[corrected.statistics(1, None, True)] * 199])),
}


@pytest.mark.parametrize("unmarked", [*UNMARKED])
@pytest.mark.parametrize("against", ["sft", None])
def test_a_model_whose_answers_nobody_marked_is_neither_good_nor_bad(unmarked: str, against: str | None) -> None:
    silent = UNMARKED[unmarked]

    found = judge(Gate("dpo", NAME, against, 0.0, None), {"dpo": silent, "sft": MARKED})
    assert (found["verdict"], found["why"]) == ("INCONCLUSIVE", f"{NAME}: people marked no answer of dpo")
    assert "value" not in found
    assert scoring.totals(silent) == {}


def test_a_gain_on_a_model_whose_answers_nobody_marked_is_none() -> None:
    models = {"dpo": MARKED, "sft": UNMARKED["none"]}

    found = judge(Gate("dpo", NAME, "sft", 0.0, None), models)
    assert (found["verdict"], found["why"]) == ("INCONCLUSIVE", f"{NAME}: people marked no answer of sft")
    both = judge(Gate("dpo", NAME, "sft", 0.0, None), {"dpo": UNMARKED["none"], "sft": UNMARKED["none"]})
    assert (both["verdict"], both["why"]) == ("INCONCLUSIVE", f"{NAME}: people marked no answer of dpo, sft")


def test_the_noise_of_training_is_of_models_whose_answers_people_marked() -> None:
    models = {"dpo": MARKED, "again": UNMARKED["none"]}

    found = judge(Gate("dpo", NAME, None, 0.5, None), models, dpo=["again"])
    assert (found["verdict"], "noise" in found) == ("ALLOW", False)
    assert found["why"].endswith("; its noise of training is unknown: people marked no answer of again")
    assert judge(Gate("dpo", NAME, None, 0.5, None), models | {"again": MARKED}, dpo=["again"])["noise"] == 0


def test_where_people_marked_too_little_it_is_their_marks_that_are_asked_for() -> None:
    """Of 200 rows, all good to judge and people: no row that the judge marks would say more."""

    def found(marked: int) -> dict[str, Any]:
        rows = sums(*[(1, 1)] * marked, *[(1, None)] * (200 - marked))
        return judge(Gate("sft", NAME, None, 0.8, None), {"sft": answers(rows)})

    told = found(5)
    marks = told["more_marks"]
    assert (told["verdict"], told["more_rows"]) == ("INCONCLUSIVE", 0)
    assert told["why"].endswith(f"not settled: {marks} more marks of people would, if it stays so")
    assert found(5 + marks)["verdict"] == "ALLOW"
    assert found(5 + marks // 2)["verdict"] == "INCONCLUSIVE"


def test_where_marks_of_all_rows_would_not_do_more_rows_with_marks_are_asked_for() -> None:
    """People find 82 of 100 good, as the judge does of all: (1.645 + 0.842)² · 0.16 / 0.02² = 2,474 rows for 0.8."""
    rows = sums(*[(1, 1)] * 82, *[(0, 0)] * 18, *[(1, None)] * 82, *[(0, None)] * 18)

    told = judge(Gate("sft", NAME, None, 0.8, None), {"sft": answers(rows)})

    assert (told["verdict"], told["value"]) == ("INCONCLUSIVE", 0.82)
    assert 2000 < told["more_rows"] < 2800
    assert told["more_marks"] == -(-told["more_rows"] // 2), "as many of them as of these"
    would = f"{told['more_rows']:,} more rows with {told['more_marks']:,} more marks of people would, if it stays so"
    assert told["why"].endswith(f"; not settled: {would}")


def test_marks_of_both_models_are_asked_for_where_one_is_held_against_the_other() -> None:
    good = sums(*[(1, 1)] * 10, *[(1, None)] * 190)
    bad = sums(*[(0, 0)] * 5, *[(0, None)] * 195)

    told = judge(Gate("sft", NAME, "base", 0.7, None), {"sft": answers(good), "base": answers(bad)})

    assert (told["verdict"], told["value"], told["more_rows"]) == ("INCONCLUSIVE", 1.0, 0)
    assert told["more_marks"] >= 15, "twice as many of both, and more"


def test_draws_without_any_mark_are_no_bad_model() -> None:
    """Of three marks among 60 rows (57/60)^60 = 4.6 % of 400 draws have none."""
    rows = sums(*[(1, 1)] * 3, *[(1, None)] * 57)

    told = judge(Gate("sft", NAME, None, 0.2, None), {"sft": answers(rows)})

    assert told["empty_draws"] == pytest.approx(18, abs=12)
    assert f"; {told['empty_draws']} of 400 draws hold no row that counts and are left out" in told["why"]
    assert told["p_reject"] == 1.0
