"""How far a judge's marks are those of people, and what else moves them; with intervals.

Sources: Cohen 1960 (kappa), Wilson 1927 (the interval of the agreement), Zheng et al. 2023, arXiv:2306.05685 (biases by
position and length). Other intervals are percentile bootstraps (Efron 1979) over questions.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from stages.evaluating import resampling
from stages.reporting import annotations

CONFIDENCE, SAMPLES, SEED = 0.95, 2000, 0
EVEN = 0.5  # share of first places, and score of an answer that is as good as the other


class Estimate(msgspec.Struct, frozen=True, omit_defaults=True):
    value: float
    low: float
    high: float
    of: int  # answers or pairs
    empty_draws: int = 0  # of SAMPLES, that have no such value, and are left out of the interval


class Case(NamedTuple):
    """An answer, or of a pair the model's, that people and the judge marked."""

    question: str
    people: int  # number of the mark, worst first; of a pair 0 for the worse answer, 1 for equal ones, 2 for the better
    judge: int
    error: float  # the judge's score less people's
    chars: int  # length; of a pair less that of the other answer


def side(score: float) -> int:
    """The number of a pair's mark by its score."""
    return 0 if score < EVEN else 2 if score > EVEN else 1


def agreement(cases: Sequence[Case]) -> Estimate:
    """The share of the same marks."""
    same = sum(case.people == case.judge for case in cases)
    return _estimate(same / len(cases), *annotations.wilson_interval(same, len(cases), CONFIDENCE), len(cases))


def kappa(cases: Sequence[Case], marks: int) -> Estimate | None:
    """Cohen's kappa of people and judge; None if both gave one same mark to all.

    Args:
        marks: how many different ones there are.
    """
    pairs = np.zeros((len(cases), marks, marks))
    pairs[range(len(cases)), [case.people for case in cases], [case.judge for case in cases]] = 1
    return _bootstrapped(pairs.reshape(len(cases), -1), [case.question for case in cases], kappas)


def kappas(counts: np.ndarray) -> np.ndarray:
    """(..., marks²) counts of the marks of two → (...) kappas; NaN where both gave one same mark to all."""
    size = round(counts.shape[-1] ** 0.5)
    shares = counts.reshape(*counts.shape[:-1], size, size) / counts.sum(axis=-1)[..., None, None]
    same = np.trace(shares, axis1=-2, axis2=-1)
    chance = (shares.sum(axis=-1) * shares.sum(axis=-2)).sum(axis=-1)
    certain = chance > 1 - 1e-12
    return np.where(certain, np.nan, (same - chance) / np.where(certain, 1, 1 - chance))


def position(firsts: Sequence[tuple[str, Sequence[float]]]) -> Estimate | None:
    """How much more often than half the answer in the first place is preferred; None without pairs.

    Args:
        firsts: (question, for both orders 1 if the first place is preferred, 0.5 for neither, 0) of each pair.
    """
    return _bootstrapped(
        np.array([(float(np.mean(places)) - EVEN, 1.0) for _, places in firsts]).reshape(-1, 2),
        [question for question, _ in firsts],
        _means,
    )


def consistency(firsts: Sequence[tuple[str, Sequence[float]]]) -> Estimate | None:
    """The share of pairs that are judged alike in both orders; None without pairs."""
    same = sum(sum(places) == 1 for _, places in firsts)  # the same answer, which is first once; or twice neither
    if not firsts:
        return None
    return _estimate(same / len(firsts), *annotations.wilson_interval(same, len(firsts), CONFIDENCE), len(firsts))


def verbosity(cases: Sequence[Case], pairs: bool) -> Estimate | None:
    """By how much the judge favours longer answers more than people do; None if all are of one length.

    Of pairs the mean error towards the longer answer; else the mean error of answers that are longer than the median
    less that of the others.
    """
    if pairs:
        unlike = [case for case in cases if case.chars]
        numbers = np.array([(case.error * np.sign(case.chars), 1.0) for case in unlike]).reshape(-1, 2)
        return _bootstrapped(numbers, [case.question for case in unlike], _means)
    median = float(np.median([case.chars for case in cases]))
    longer = np.array([case.chars > median for case in cases], float)
    errors = np.array([case.error for case in cases])
    if not 0 < longer.sum() < len(cases):
        return None
    numbers = np.stack([errors * longer, longer, errors * (1 - longer), 1 - longer], axis=1)
    return _bootstrapped(numbers, [case.question for case in cases], _differences)


def _means(sums: np.ndarray) -> np.ndarray:
    return sums[..., 0] / sums[..., 1]


def _differences(sums: np.ndarray) -> np.ndarray:
    """NaN where one of the two has no rows."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums[..., 0] / sums[..., 1] - sums[..., 2] / sums[..., 3]


def _bootstrapped(
    numbers: np.ndarray, questions: Sequence[str], value: Callable[[np.ndarray], np.ndarray]
) -> Estimate | None:
    """The value of sums of (rows, k) numbers, with its interval over draws of questions; None where there is none."""
    if not len(numbers):
        return None
    found = float(value(numbers.sum(axis=0)))
    if np.isnan(found):
        return None
    drawn = value(resampling.redrawn(resampling.grouped(numbers, questions), SAMPLES, SEED))
    tail = (1 - CONFIDENCE) / 2
    return _estimate(found, *np.nanquantile(drawn, [tail, 1 - tail]), len(numbers), int(np.isnan(drawn).sum()))


def _estimate(value: float, low: float, high: float, of: int, empty_draws: int = 0) -> Estimate:
    return Estimate(*(round(float(number), 4) + 0.0 for number in (value, low, high)), of, empty_draws)
