"""Moves are what each group does to a value; groups and not rows are drawn again; both work on many samples at once."""

import numpy as np
import pytest

from stages.evaluating import resampling


def pairs(*scores: tuple[float, float]) -> np.ndarray:
    """(rows, 2): a numerator and a denominator each."""
    return np.array(scores, float)


def sample(sums: np.ndarray, span: float = 1.0, samples: int = 500) -> resampling.Sample:
    return resampling.of_model("exact_match", sums, span, samples, seed=1)


def test_rows_of_a_group_are_added() -> None:
    rows = pairs((1, 1), (0, 1), (1, 1))

    assert resampling.grouped(rows, ["b", "a", "b"]).tolist() == [[0, 1], [2, 2]]


def test_the_moves_of_a_mean_are_the_scores_less_the_mean() -> None:
    found = sample(pairs((1, 1), (0, 1), (0.5, 1), (0.5, 1)))

    assert found.value == 0.5
    assert found.moves == pytest.approx([0.5, -0.5, 0, 0])
    assert found.reach == 1


def test_the_moves_of_a_ratio_have_its_standard_error() -> None:
    """F1 = sum of 2TP / sum of 2TP + FP + FN; the standard error by the delta method, Cochran 1977, (6.13)."""
    rng = np.random.default_rng(2)
    denominators = rng.integers(1, 3, 400).astype(float)
    rows = np.stack([2.0 * (rng.random(400) < 0.7) * (denominators == 2), denominators], axis=1)
    found = sample(rows)

    residuals = (rows[:, 0] - found.value * rows[:, 1]) / rows[:, 1].mean()
    assert found.moves.std(ddof=1) == pytest.approx(residuals.std(ddof=1), rel=0.01)
    assert found.moves.mean() == pytest.approx(0)
    assert found.reach == pytest.approx(np.ptp(found.moves)), "a row can move an F1 by more than its range"


def test_the_same_row_asked_again_is_no_evidence() -> None:
    rows = pairs((1, 1), (0, 1), (0, 1), (1, 1), (1, 1))
    once, thrice = sample(rows), sample(resampling.grouped(np.repeat(rows, 3, axis=0), list("aaabbbcccdddeee")))

    assert thrice.moves == pytest.approx(once.moves)
    assert thrice.redrawn == pytest.approx(once.redrawn)


def test_redrawn_values_scatter_as_the_standard_error_says() -> None:
    rows = pairs(*[(1, 1)] * 300, *[(0, 1)] * 100)
    found = sample(rows, samples=4000)

    assert found.redrawn.std() == pytest.approx(np.sqrt(0.75 * 0.25 / 400), rel=0.05)
    assert found.redrawn.mean() == pytest.approx(0.75, abs=0.002)


def test_draws_in_which_nothing_counts_have_no_value() -> None:
    """Two of ten rows count: (8/10)^10 = 10.7 % of the draws have none of them."""
    found = sample(pairs((1, 1), (1, 1), *[(0, 0)] * 8), samples=4000)

    assert found.empty_draws == pytest.approx(429, rel=0.15)
    assert set(found.redrawn[~np.isnan(found.redrawn)]) == {1.0}
    assert np.isnan(resampling.gain(found, found, bounded=True).redrawn).sum() == found.empty_draws


def test_draws_in_several_blocks_are_as_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resampling, "BLOCK", 64)
    found = sample(pairs(*[(1, 1)] * 15, *[(0, 1)] * 15), samples=101)

    assert found.redrawn.shape == (101,)
    assert len(np.unique(found.redrawn)) > 5
    assert resampling.flipped(np.ones(30), 101, seed=1).shape == (101,)


def test_many_samples_at_once_are_as_one_after_the_other() -> None:
    many = (np.random.default_rng(3).random((4, 50, 2)) < 0.5).astype(float)
    together = sample(many)

    for index, alone in enumerate(sample(sums) for sums in many):
        assert together.value[index] == pytest.approx(alone.value)
        assert together.moves[index] == pytest.approx(alone.moves)
        assert together.redrawn[index] == pytest.approx(alone.redrawn)


def test_a_gain_pairs_the_groups_and_the_draws() -> None:
    better = pairs(*[(1, 1)] * 30, *[(0, 1)] * 10)
    model, other = sample(better), sample(better)

    gain = resampling.gain(model, other, bounded=True)
    assert (gain.value, gain.reach) == (0, pytest.approx(1))
    assert not gain.moves.any() and not gain.redrawn.any()
    assert resampling.gain(model, other, bounded=False).reach == 0, "nothing is known beyond what was seen"


def test_flips_keep_the_size_of_each_value() -> None:
    flips = resampling.flipped(np.array([3.0, 1.0]), 400, seed=1)

    assert sorted(set(flips.tolist())) == [-2, -1, 1, 2]
    assert flips.mean() == pytest.approx(0, abs=0.2)


def test_a_group_of_a_ratio_may_move_it_as_far_as_its_denominator_weighs() -> None:
    sizes = np.array([1, 1, 2])

    assert resampling.span("exact_match", 0, 1, pairs((2, 2), (0, 2), (10, 20)), sizes) == 2.5  # 20 / 8
    assert resampling.span("bleu", 0, 100, np.ones((3, 4)), sizes) == 150  # 100 * 2 / (4 / 3)
    assert resampling.span("exact_match", 0, None, pairs((2, 2), (0, 2), (10, 20)), sizes) == 0
    assert resampling.span("exact_match", 0, 1, pairs((0, 0), (0, 0), (0, 0)), sizes) == 0
