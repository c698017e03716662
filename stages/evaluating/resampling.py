"""The value of a metric on groups of rows, how far each group moves it, and its values on groups drawn again.

Rows that may not be told apart as evidence are one group. Arrays may have more axes before those that are named.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from stages.evaluating import metrics

BLOCK = 1 << 22  # draws in memory at a time


class Sample(NamedTuple):
    """A value on groups of rows, of which more is better."""

    value: np.ndarray  # (...)
    moves: np.ndarray  # (..., groups): how far each group moves the value; their mean is 0
    redrawn: np.ndarray  # (..., samples): the value on groups drawn again with replacement; NaN where nothing counts
    reach: np.ndarray  # (...): the most that one group can move it

    def mirrored(self) -> "Sample":
        """The same where less is better."""
        return Sample(-self.value, -self.moves, -self.redrawn, self.reach)

    @property
    def empty_draws(self) -> int:
        """Draws in which nothing counts: they say nothing of the value."""
        return int(np.isnan(self.redrawn).sum())


def grouped(rows: np.ndarray, groups: Sequence[str]) -> np.ndarray:
    """(rows, k) statistics and the name of each row's group → (groups, k) sums."""
    numbers = numbered(groups)
    sums = np.zeros((numbers.max() + 1, rows.shape[1]))
    np.add.at(sums, numbers, rows)
    return sums


def numbered(groups: Sequence[str]) -> np.ndarray:
    """(rows,) the number of each row's group. An array of the names would take the longest one's room for each."""
    numbers = {name: number for number, name in enumerate(sorted(set(groups)))}
    return np.array([numbers[name] for name in groups])


def span(metric: str, least: float, most: float | None, sums: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """(...) by how much a group that nobody has seen can move a metric, as far as its range goes; 0 where it has none.

    Args:
        sums: (..., groups, k)
        sizes: (groups,) rows of each group.
    """
    return (0.0 if most is None else most - least) * metrics.weights(metric, sums, sizes).max(axis=-1)


def of_model(metric: str, sums: np.ndarray, span: float | np.ndarray, samples: int, seed: int) -> Sample:
    """The sample of a metric, of (groups, k) sums.

    Args:
        span: by how much a group can move it as far as its range goes; 0 where it has none.
    """
    moves = _moves(metric, sums)
    return Sample(
        metrics.value(metric, sums.sum(axis=-2)),
        moves,
        values(metric, redrawn(sums, samples, seed)),
        np.maximum(np.ptp(moves, axis=-1), span),
    )


def gain(model: Sample, other: Sample, bounded: bool) -> Sample:
    """By how much a model's value is above another's on the same groups; `bounded`: the metric has a range."""
    moves = model.moves - other.moves
    reach = np.maximum(model.reach, other.reach) if bounded else np.ptp(moves, axis=-1)
    return Sample(model.value - other.value, moves, model.redrawn - other.redrawn, reach)


def _moves(metric: str, sums: np.ndarray) -> np.ndarray:
    """Jackknife pseudo-values (Tukey 1958) less their mean: for a mean over rows, each row's score less the mean."""
    groups = sums.shape[-2]
    without = metrics.value(metric, sums.sum(axis=-2, keepdims=True) - sums)
    return (groups - 1) * (without.mean(axis=-1, keepdims=True) - without)


def redrawn(sums: np.ndarray, samples: int, seed: int) -> np.ndarray:
    """(groups, k) → (samples, k): sums over as many groups, drawn with replacement (Efron 1979)."""
    groups, rng = sums.shape[-2], np.random.default_rng(seed)
    blocks = []
    for size in _blocks(groups, samples):
        drawn = rng.integers(0, groups, (size, groups)) + groups * np.arange(size)[:, None]
        times = np.bincount(drawn.ravel(), minlength=size * groups).reshape(size, groups)
        blocks.append(np.moveaxis(np.tensordot(times.astype(float), sums, axes=(1, -2)), 0, -2))
    return np.concatenate(blocks, axis=-2)


def values(metric: str, drawn: np.ndarray) -> np.ndarray:
    """(..., k) sums of draws → (...) the metric; NaN where nothing counts, which would be 0, the worst or the best."""
    return np.where(metrics.has_value(metric, drawn), metrics.value(metric, drawn), np.nan)


def flipped(values: np.ndarray, samples: int, seed: int) -> np.ndarray:
    """(..., groups) → (..., samples): means of the values with signs drawn at random (Fisher 1935)."""
    groups, rng = values.shape[-1], np.random.default_rng(seed)
    blocks = [values @ (2.0 * rng.integers(0, 2, (groups, size)) - 1.0) / groups for size in _blocks(groups, samples)]
    return np.concatenate(blocks, axis=-1)


def _blocks(groups: int, samples: int) -> Iterator[int]:
    size = max(1, BLOCK // groups)
    for start in range(0, samples, size):
        yield min(size, samples - start)
