"""What a sample shows about a bound: p-values, an interval, the smallest effect it could show, the rows it would take.

Three tests, and a fourth where scores are 0 or 1, decide together: a verdict needs all of them, so it is wrong no more
often than by the strictest. None of them alone will do (docs/decisions/0054-gates-need-evidence.md):

- guarded t: mean and standard error of the groups and of one more, the worst that a group can be, which nobody has seen
  yet; corrected for skewness (Johnson 1978, Hall 1992). It gives the interval.
- bootstrap: the share of samples of redrawn groups on the other side of the bound (Efron 1979).
- sign-flip permutation of the groups' distances from the bound (Fisher 1935): few groups show little.
  A p-value of b samples among m is (b + 1) / (m + 1) in both (Phipson and Smyth 2010).
- exact: McNemar (1947) between two models, binomial against a bound.

Arrays may have more axes before those that are named.
"""

from typing import NamedTuple

import numpy as np
from scipy import special

from stages.evaluating.resampling import Sample, flipped

CLOSE = 1e-12  # numbers as near as this are equal: rounding is no evidence
MOST_ROWS = 1e9


class Evidence(NamedTuple):
    """p-values (...) of "the value is below the bound" and of "it is at the bound or above"."""

    allow: np.ndarray
    reject: np.ndarray


class Exact(NamedTuple):
    """(...) successes in trials, each of them a success with `chance` or less if the value is below the bound."""

    successes: np.ndarray
    trials: np.ndarray
    chance: float


def exact(hits: np.ndarray, others: np.ndarray | None, bound: float) -> Exact | None:
    """The exact test of hits, (..., rows) of 0 and 1, against a share or another model's hits; None: there is none."""
    if others is None:
        return Exact(hits.sum(axis=-1), np.full(hits.shape[:-1], hits.shape[-1]), bound)
    differ = hits != others
    return Exact((differ * hits).sum(axis=-1), differ.sum(axis=-1), 0.5) if bound == 0 else None


def evidence(sample: Sample, bound: float, certain: Exact | None, seed: int) -> Evidence:
    """The evidence for and against a value of at least `bound`."""
    samples = sample.redrawn.shape[-1]
    away = sample.value[..., None] + sample.moves - bound
    mean, flips = away.mean(axis=-1, keepdims=True), flipped(away, samples, seed)
    valued = samples - np.isnan(sample.redrawn).sum(axis=-1)  # a comparison with NaN is false
    allow = [
        _guarded_t(sample, bound),
        _share(sample.redrawn <= bound + CLOSE, valued),
        _share(flips >= mean - CLOSE, samples),
    ]
    reject = [
        _guarded_t(sample.mirrored(), -bound),
        _share(sample.redrawn >= bound - CLOSE, valued),
        _share(flips <= mean + CLOSE, samples),
    ]
    if certain:
        allow.append(special.bdtrc(certain.successes - 1, certain.trials, certain.chance))
        reject.append(special.bdtr(certain.successes, certain.trials, certain.chance))
    return Evidence(np.max(allow, axis=0), np.max(reject, axis=0))


def _share(drawn: np.ndarray, of: int | np.ndarray) -> np.ndarray:
    """(..., samples) of truth values → (...) p-values: what was seen is one of the samples, so that none is 0.

    Args:
        of: (...) samples that say anything.
    """
    return (drawn.sum(axis=-1) + 1) / (of + 1)


def low(sample: Sample, level: float | np.ndarray) -> np.ndarray:
    """(...) bounds that the true value is below with a probability of at most `level`, by the guarded t."""
    centre, error, lean = _guarded(sample)
    quantile = special.stdtrit(sample.moves.shape[-1], 1 - np.asarray(level))
    return centre - error * (quantile + lean * (2 * quantile**2 + 1) / 6)


def _guarded(sample: Sample) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(mean, its standard error, lean to the bad side) of the groups and one that is as bad as can be."""
    n = sample.moves.shape[-1] + 1
    shift = sample.reach / n
    away, worst = sample.moves + shift[..., None], shift - sample.reach
    variance = ((away**2).sum(axis=-1) + worst**2) / (n - 1)
    return sample.value - shift, np.sqrt(variance / n), _lean((away**3).sum(axis=-1), worst**3, variance, n)


def _lean(thirds: np.ndarray, worst: np.ndarray, variance: np.ndarray, n: float | np.ndarray) -> np.ndarray:
    """Skewness to the bad side over the root of n, from sums of third powers.

    Skewness to the good side makes the test stricter, and stays out: a rare gain is no sign that losses are not.
    """
    return -(np.minimum(0, thirds) + worst) / n / np.where(variance > 0, variance, 1) ** 1.5 / np.sqrt(n)


def _guarded_t(sample: Sample, bound: float) -> np.ndarray:
    """(...) p-values: the level at which `low` is the bound, by solving its equation for the quantile."""
    centre, error, lean = _guarded(sample)
    distance = centre - bound
    sides = np.where(distance > 0, np.inf, np.where(distance < 0, -np.inf, 0.0))  # of what has no scatter
    ratio = np.where(error > 0, distance / np.where(error > 0, error, 1), sides)
    constant, square = ratio - lean / 6, lean / 3
    inner = 1 + 4 * square * np.where(np.isfinite(constant), constant, 0)  # below 0: far on the bad side
    quantile = np.where(inner < 0, -np.inf, 2 * constant / (1 + np.sqrt(np.maximum(0, inner))))
    return special.stdtr(sample.moves.shape[-1], -quantile)


class Suite(NamedTuple):
    """What a sample says about samples like it of other sizes and values. Arrays are (...)."""

    value: np.ndarray
    bound: float
    variance: np.ndarray  # of a group at the value
    third: np.ndarray  # third moment of a group, to the bad side negative
    reach: np.ndarray
    groups: int


def planned(sample: Sample, bound: float, ends: tuple[float, float] | None) -> Suite:
    """What is known for a plan.

    Args:
        ends: least and greatest value of a metric that is held against a bound. There the variance is not that at
            the value but, in the same proportion to the greatest possible one, that at the bound.
    """
    variance = sample.moves.var(axis=-1)
    if ends:
        least, most = ends
        possible, at_bound = (sample.value - least) * (most - sample.value), (bound - least) * (most - bound)
        share = np.where(possible > CLOSE, variance / np.where(possible > CLOSE, possible, 1), 1)
        variance = share * at_bound
    return Suite(sample.value, bound, variance, (sample.moves**3).mean(axis=-1), sample.reach, sample.moves.shape[-1])


def smallest(suite: Suite, level: float, power: float, between: bool) -> np.ndarray:
    """(...) the least distance above the bound that this suite shows at the level with the power.

    Args:
        between: the value is a difference between two models. To move it, they must differ on more rows.
    """
    below, above = np.zeros_like(suite.variance), 4 * suite.reach + 4 * np.sqrt(suite.variance) + CLOSE
    for _ in range(60):
        middle = (below + above) / 2
        moved = np.maximum(0, suite.bound + middle - suite.value) * suite.reach if between else 0
        enough = middle >= _needed(suite._replace(variance=suite.variance + moved), suite.groups, level, power)
        below, above = np.where(enough, below, middle), np.where(enough, middle, above)
    return above


def groups_needed(suite: Suite, level: float, power: float) -> np.ndarray:
    """(...) groups with which a value like this one would be told from the bound; inf: with no number of them."""
    distance = np.abs(suite.value - suite.bound)
    suite = suite._replace(third=np.where(suite.value >= suite.bound, suite.third, -suite.third))
    few, many = np.zeros_like(distance), np.full_like(distance, np.log2(MOST_ROWS))
    for _ in range(60):
        middle = (few + many) / 2
        enough = distance >= _needed(suite, 2**middle, level, power)
        few, many = np.where(enough, few, middle), np.where(enough, middle, many)
    return np.where(distance >= _needed(suite, MOST_ROWS, level, power), np.ceil(2**many), np.inf)


def part_needed(suite: Suite, sample: Sample, part: np.ndarray, most: float, level: float, power: float) -> float:
    """How many times as many observations of a part of a value, a mean of scores from 0 to 1, tell it from the bound.

    Args:
        suite: planned of the sample.
        part: (groups,) what is of this part of each move; the rest is of observations that stay as many.
        most: times; if not even these do, inf.
    """
    rest, variance = sample.moves - part, float(sample.moves.var())
    distance, side = abs(float(suite.value) - suite.bound), 1 if suite.value >= suite.bound else -1

    def do(times: float) -> bool:
        second = (rest**2 + 2 * rest * part + part**2 / times).mean()  # as many more of them are as much smaller each
        third = (rest**3 + 3 * rest**2 * part + 3 * rest * part**2 / times + part**3 / times**2).mean()
        grown = suite._replace(
            variance=suite.variance * (second / variance if variance > 0 else 1), third=side * third,
            reach=np.maximum(suite.reach / times, max(np.ptp(rest), 1.0)),
        )  # fmt: skip
        return bool(distance >= _needed(grown, suite.groups, level, power))

    if most < 1 or not do(most):
        return float("inf")
    few, many = 0.0, float(np.log2(most))
    for _ in range(60):
        middle = (few + many) / 2
        few, many = (few, middle) if do(2**middle) else (middle, many)
    return 2**many


def _needed(suite: Suite, groups: float | np.ndarray, level: float, power: float) -> np.ndarray:
    """(...) the distance from the bound that as many groups show at the level with the power, by the guarded t."""
    quantile, chance = special.stdtrit(np.maximum(groups, 1), 1 - level), special.ndtri(power)
    variance = suite.variance + suite.reach**2 / groups
    lean = _lean(suite.third * groups, -(suite.reach**3), variance, groups)
    shown = np.sqrt(variance / groups) * (quantile + lean * (2 * quantile**2 + 1) / 6)
    return suite.reach / groups + shown + chance * np.sqrt(suite.variance / groups)


def holm(p_values: list[float], level: float) -> tuple[list[bool], list[float]]:
    """(whether each is shown, the level that decided) of several hypotheses, by Holm 1979: with a probability of at
    most `level` is any of them shown that does not hold.
    """
    shown, levels = [False] * len(p_values), [level] * len(p_values)
    failed, step = False, level
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        step = step if failed else level / (len(p_values) - rank)
        failed = failed or p_values[index] > step * (1 + CLOSE)
        shown[index], levels[index] = not failed, step
    return shown, levels
