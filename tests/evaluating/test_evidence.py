"""A value below the bound is seldom shown to be at it; what a suite is said to show it shows; scipy agrees."""

import math

import numpy as np
import pytest
from scipy import special, stats

from stages.evaluating import evidence, resampling
from stages.evaluating.evidence import Evidence
from stages.evaluating.resampling import Sample


def of(values: np.ndarray, reach: float = 1.0, samples: int = 400) -> Sample:
    """The sample of the mean of scores, (..., rows), of which none can move it by more than `reach`."""
    sums = np.stack([values, np.ones_like(values)], axis=-1)
    sample = resampling.of_model("exact_match", sums, reach, samples, seed=1)
    return sample._replace(reach=np.full_like(sample.value, reach))


def differences(gains: np.ndarray, losses: np.ndarray, rows: int) -> np.ndarray:
    """(..., rows) of 1, -1 and 0."""
    place = np.arange(rows)
    gained, lost = place < gains[..., None], (place >= gains[..., None]) & (place < (gains + losses)[..., None])
    return gained.astype(float) - lost


def test_mcnemar_and_the_binomial_test_are_exact() -> None:
    model, other = np.array([[1] * 8 + [0] + [1] * 5, [0] * 8 + [1] + [1] * 5], float)

    paired = evidence.exact(model, other, 0.0)
    assert paired == (8, 9, 0.5), "five rows where both are right say nothing"
    single = evidence.exact(model, None, 0.75)
    assert single == (13, 14, 0.75)
    assert evidence.exact(model, other, -0.02) is None
    for case in (paired, single):
        greater, less = (
            stats.binomtest(int(case.successes), int(case.trials), case.chance, alternative=side).pvalue
            for side in ("greater", "less")
        )
        sample = of(np.full(14, 9.0))  # so far above the bound that no other test says more
        assert evidence.evidence(sample, 0.0, case, seed=1).allow == pytest.approx(greater)
        assert evidence.evidence(sample.mirrored(), 0.0, case, seed=1).reject == pytest.approx(less)
    assert stats.binomtest(8, 9, 0.5, alternative="greater").pvalue == 10 / 512


def test_models_that_answer_alike_show_nothing() -> None:
    alike = evidence.exact(np.ones(50), np.ones(50), 0.0)

    assert evidence.evidence(of(np.zeros(50)), 0.0, alike, seed=1) == Evidence(1, 1)


def test_draws_without_a_value_are_no_evidence() -> None:
    sample = of(np.full(30, 0.5), samples=400)
    half = np.where(np.arange(400) < 200, np.nan, np.where(np.arange(400) < 210, 0.1, 0.5))
    below = evidence.evidence(sample._replace(redrawn=half, reach=np.array(0.0)), 0.3, None, seed=1)

    assert below.allow == pytest.approx(11 / 201), "10 of 200 draws, and what was seen"
    assert below.reject == 1


def test_flips_agree_with_the_permutation_test_of_scipy() -> None:
    values = np.array([0.3, -0.1, 0.4, 0.2, 0.05, -0.2, 0.3, 0.1])
    expected = stats.permutation_test(
        (values, np.zeros(8)), lambda a, b, axis: (a - b).mean(axis=axis), permutation_type="samples",
        alternative="greater", vectorized=True,
    ).pvalue  # fmt: skip

    flips = resampling.flipped(values, 40_000, seed=1)
    assert (flips >= values.mean() - evidence.CLOSE).mean() == pytest.approx(expected, abs=0.005)


def test_redrawn_values_agree_with_the_bootstrap_of_scipy() -> None:
    values = np.random.default_rng(1).random(80)
    scipys = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=8000, rng=1).confidence_interval

    ours = np.quantile(of(values, samples=8000).redrawn, [0.025, 0.975])
    assert ours == pytest.approx([scipys.low, scipys.high], abs=0.004)


def test_the_interval_is_that_of_students_t_and_a_little_wider() -> None:
    values = np.random.default_rng(4).normal(0.1, 0.3, 400).clip(-1, 1)
    t = stats.ttest_1samp(values, 0).confidence_interval(0.9).low

    low = float(evidence.low(of(values), 0.05))
    assert t - 0.006 < low < t


@pytest.mark.parametrize("level", [0.05, 0.0025])
def test_the_bound_of_the_interval_is_where_the_test_turns(level: float) -> None:
    values = np.random.default_rng(5).normal(0.1, 0.3, (20, 60)).clip(-1, 1)
    low = evidence.low(of(values), level)

    for sample, bound in zip((of(row) for row in values), low, strict=True):
        assert evidence._guarded_t(sample, float(bound)) == pytest.approx(level, rel=1e-6)


@pytest.mark.parametrize(("rows", "bound"), [(100, -0.05), (100, -0.02), (200, -0.02), (100, 0.05)])
@pytest.mark.parametrize("level", [0.05, 0.0025, 0.001])
def test_a_loss_at_the_bound_is_allowed_no_more_often_than_declared(rows: int, bound: float, level: float) -> None:
    """By every outcome and its exact probability: no simulation. Rare losses are where a t-test fails."""
    gains, losses = (counts.ravel() for counts in np.meshgrid(np.arange(45), np.arange(45)))
    allowed = evidence.low(of(differences(gains, losses, rows), samples=1), level) >= bound
    for rarer in (0.0, 0.0025, 0.005, 0.01, 0.03, 0.06):
        chances = [rarer + max(bound, 0.0), rarer + max(-bound, 0.0)]
        probability = stats.multinomial.pmf(
            np.stack([gains, losses, rows - gains - losses], axis=1), rows, [*chances, 1 - sum(chances)]
        )
        rest = 1 - probability.sum()  # outcomes that are not in the table
        assert probability[allowed].sum() <= level * 1.1 + rest, rarer


def test_a_students_t_test_would_allow_a_loss_that_nobody_saw() -> None:
    """Where each of 100 answers is lost with 2 %, none is with 13 %: then the models look alike, and the loss as 0."""
    alike = of(np.zeros(100))

    assert evidence.low(alike, 0.05) < -0.02
    assert evidence.low(of(np.zeros(200)), 0.05) >= -0.02


@pytest.mark.parametrize("successes", [85, 90, 97, 100])
def test_against_a_share_the_interval_is_as_wide_as_clopper_pearsons(successes: int) -> None:
    values = (np.arange(100) < successes).astype(float)
    exact = stats.binomtest(successes, 100).proportion_ci(0.9, method="exact").low

    assert float(evidence.low(of(values), 0.05)) == pytest.approx(exact, abs=0.012)


def test_few_groups_show_little_however_far_they_are() -> None:
    found = evidence.evidence(of(np.full(4, 0.9)), 0.0, None, seed=1)

    assert found.allow == pytest.approx(1 / 16, abs=0.03), "as all signs the same are one of 16"


def test_without_scatter_and_range_few_groups_decide() -> None:
    one = evidence.evidence(of(np.array([2.0]), reach=0.0), 1.0, None, seed=1)
    many = evidence.evidence(of(np.full(20, 2.0), reach=0.0, samples=2000), 1.0, None, seed=1)

    assert one.allow == pytest.approx(0.5, abs=0.1)
    assert many.allow < 0.001


def test_what_a_suite_is_said_to_show_it_shows() -> None:
    rng, level, power = np.random.default_rng(6), 0.05, 0.8
    found = []
    for rows, lost in ((100, 0.05), (400, 0.1)):
        pilot = of(differences(*rng.multinomial(rows, [lost, lost, 1 - 2 * lost], 300).T[:2], rows))
        effect = np.clip(evidence.smallest(evidence.planned(pilot, 0.0, None), level, power, between=True), 0, 0.5)
        chances = np.stack([lost + effect, np.full(300, lost), 1 - 2 * lost - effect], axis=1)
        planted = of(differences(*rng.multinomial(rows, chances).T[:2], rows))
        found.append((evidence.low(planted, level) >= 0).mean())

    assert min(found) > power - 0.05, found


def test_with_the_rows_that_it_lacks_a_value_is_told_from_the_bound() -> None:
    values = np.concatenate([np.ones(56), np.zeros(44)])
    plan = evidence.planned(of(values), 0.5, None)
    needed = float(evidence.groups_needed(plan, 0.05, 0.8))

    # (1.645 + 0.842)² · 0.25 / 0.06² = 429 by the normal approximation
    assert 429 < needed < 520
    assert evidence.smallest(plan._replace(groups=math.ceil(needed)), 0.05, 0.8, between=False) <= 0.0601
    assert evidence.groups_needed(plan._replace(value=np.array(0.5)), 0.05, 0.8) == math.inf


def test_the_variance_of_a_perfect_score_is_that_at_the_bound() -> None:
    plan = evidence.planned(of(np.ones(400)), 0.8, (0.0, 1.0))

    assert plan.variance == pytest.approx(0.16)
    # (1.645 + 0.842) · sqrt(0.16 / 400) = 0.0497
    assert evidence.smallest(plan, 0.05, 0.8, between=False) == pytest.approx(0.0497, abs=0.006)


def test_holm_shows_what_its_steps_allow() -> None:
    assert evidence.holm([0.01, 0.04, 0.03], 0.05) == ([True, False, False], [0.05 / 3, 0.05 / 2, 0.05 / 2])
    assert evidence.holm([0.01, 0.04, 0.02], 0.05) == ([True, True, True], [0.05 / 3, 0.05, 0.05 / 2])
    assert evidence.holm([], 0.05) == ([], [])


def test_of_many_gates_on_equal_models_few_builds_allow_any() -> None:
    rng = np.random.default_rng(7)
    p_values = special.ndtr(rng.normal(size=(2000, 8)))

    assert np.mean([any(evidence.holm(row.tolist(), 0.05)[0]) for row in p_values]) < 0.065


def test_no_p_value_is_0_as_what_was_seen_is_a_sample_too() -> None:
    certain = evidence.evidence(of(np.full(40, 0.9), reach=0.0, samples=99), 0.0, None, seed=1)

    assert certain == Evidence(1 / 100, 1)
    assert evidence.holm([1 / 1200], 0.05 / 60) == ([True], [0.05 / 60]), "the least of 1,199 samples is enough"
