"""The releases that benchmarks/gates.py makes have the gain that it says, and its report has every figure."""

import numpy as np
import pytest

from benchmarks import gates
from stages.evaluating import metrics


@pytest.mark.parametrize("gain", [0.0, -0.03, 0.06])
@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("kind", gates.KINDS)
def test_the_true_gain_of_a_release_is_known(kind: str, size: int, gain: float) -> None:
    rng = np.random.default_rng(1)
    draw = gates.Draw(np.array([[0.1], [0.5], [0.9]]), np.array([[0.2], [0.8], [0.5]]), 300_000, size)
    releases = gates.KINDS[kind](rng, np.full((3, 1), gain), draw)

    assert releases.possible.all()
    model, base = (metrics.value("exact_match", of.sum(axis=1)) for of in (releases.model, releases.base))
    assert model - base == pytest.approx(gain, abs=0.006)
    assert base == pytest.approx(releases.base_truth, abs=0.006)


def test_the_models_of_a_team_have_one_base_and_answers_of_their_own() -> None:
    draw = gates.Draw(np.full((5, 1), 0.5), np.full((5, 1), 0.5), 100, 1, together=True)
    releases = gates.accuracy(np.random.default_rng(1), np.zeros((5, 1)), draw)

    assert (releases.base == releases.base[0]).all()
    assert not (releases.model == releases.model[0]).all()


def test_a_gain_that_no_model_can_have_is_told() -> None:
    draw = gates.Draw(np.full((1, 1), 0.9), np.full((1, 1), 0.5), 10, 1)

    assert not gates.accuracy(np.random.default_rng(1), np.full((1, 1), 0.5), draw).possible.any()


def test_the_report_has_the_figures_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "ROWS", (100,))
    report = gates.report(240, 6)

    assert report["releases"] >= 240
    assert report["others"].keys() == {"point_estimate", "bootstrap_interval", "threshold", "lm_eval_z_test"}
    assert report["others"]["point_estimate"]["false_pass"] > 0.25, "a coin"
    assert report["false_pass"] < 0.1
    assert 0 <= report["false_pass_after_50_looks"] <= 1 and 0 < report["power"] <= 1
