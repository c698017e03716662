"""By how much each input moved a score: differences between builds on the same rows, with what they are evidence of.

A build's score with an input put back is compared with that of the newer build, row by row; rows with the same prompt
are one group, as for gates. Intervals and p-values are those of stages/evaluating/evidence.py, for a difference of 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from stages.evaluating import evidence, metrics, resampling
from stages.evaluating.resampling import Sample

SAMPLES = 10_000  # drawn again: several inputs share the level, so the smallest p-values count


class Row(msgspec.Struct, frozen=True):
    """What is read of a line of reports/evaluate/<model>-<suite>.jsonl."""

    id: str
    prompt: str
    scores: dict[str, metrics.Statistics]


Rows = dict[str, Row]  # by id


@dataclass(frozen=True)
class Moved:
    """A difference, with its interval."""

    by: float
    low: float
    high: float
    shown: bool  # it is not noise


@dataclass(frozen=True)
class Effects:
    """What builds say on the same rows. Scores and differences are rounded to six digits."""

    rows: int
    old: float
    new: float
    difference: Moved  # new less old
    scores: list[float]  # of each build with an input put back
    moved: list[Moved]  # new less each of them
    otherwise: list[int]  # rows that each of them scores otherwise than new
    beyond: Moved | None  # the difference less the sum of `moved`; None: one input, which is the difference
    empty_draws: int  # of SAMPLES, in which no row of one of the builds counts: they are left out


def read(path: Path) -> Rows:
    """The rows of a build, as `evaluate` wrote them."""
    rows = (msgspec.json.decode(line, type=Row) for line in path.read_bytes().splitlines())
    return {row.id: row for row in rows}


def score(rows: Rows, metric: str) -> float:
    """The metric on all rows of a build."""
    return round(float(metrics.value(metric, _statistics(rows, [*rows], metric).sum(axis=0))), 6)


def counts(rows: Rows, ids: Sequence[str], metric: str) -> bool:
    """True if some of these rows counts; where none does, the score 0 of a build is no value."""
    return bool(metrics.has_value(metric, _statistics(rows, ids, metric).sum(axis=0)))


def common(builds: Sequence[Rows]) -> list[str]:
    """The ids of the rows that all builds have, sorted."""
    return sorted(set.intersection(*({*rows} for rows in builds)))


def effects(
    old: Rows, new: Rows, mixes: Sequence[Rows], ids: Sequence[str], metric: str, declared: dict[str, Any],
    confidence: float, seed: int,
) -> Effects:  # fmt: skip
    """The effects of inputs, each put back in one of `mixes`, on the rows `ids`.

    By Holm's procedure over the inputs, one that moved nothing is shown with a probability of 1 - confidence at most.

    Args:
        declared: {least, most} of the metric, most null where it has no range.
    """
    groups, bounded = [new[id].prompt or id for id in ids], declared["most"] is not None
    sizes, ends = np.bincount(resampling.numbered(groups)), (declared["least"], declared["most"])
    sums = [resampling.grouped(_statistics(rows, ids, metric), groups) for rows in (old, new, *mixes)]
    before, now, *others = (
        resampling.of_model(metric, of_build, resampling.span(metric, *ends, of_build, sizes), SAMPLES, seed)
        for of_build in sums
    )
    gains = [resampling.gain(now, other, bounded) for other in others]
    whole = resampling.gain(now, before, bounded)
    level = 1 - confidence
    shown, _ = evidence.holm([_p_value(gain, seed) for gain in gains], level)
    beyond = _beyond(whole, gains) if len(gains) > 1 else None
    return Effects(
        rows=len(ids),
        old=_rounded(before.value),
        new=_rounded(now.value),
        difference=_moved(whole, _p_value(whole, seed) <= level, level),
        scores=[_rounded(other.value) for other in others],
        moved=[_moved(gain, real, level) for gain, real in zip(gains, shown, strict=True)],
        otherwise=[sum(new[id].scores[metric] != rows[id].scores[metric] for id in ids) for rows in mixes],
        beyond=_moved(beyond, _p_value(beyond, seed) <= level, level) if beyond else None,
        empty_draws=int(np.isnan([gain.redrawn for gain in (whole, *gains)]).any(axis=0).sum()),
    )


def _statistics(rows: Rows, ids: Sequence[str], metric: str) -> np.ndarray:
    """(rows, k)."""
    return metrics.table([rows[id].scores[metric] for id in ids])


def _beyond(whole: Sample, gains: Sequence[Sample]) -> Sample:
    """The difference less all effects. Where inputs move the same rows, it is not 0."""
    moves = whole.moves - sum(gain.moves for gain in gains)
    return Sample(
        whole.value - sum(gain.value for gain in gains),
        moves,
        whole.redrawn - sum(gain.redrawn for gain in gains),
        np.maximum(np.ptp(moves, axis=-1), whole.reach),
    )


def _p_value(sample: Sample, seed: int) -> float:
    """Of "it is 0", from both sides."""
    found = evidence.evidence(sample, 0.0, None, seed)
    return min(1.0, 2 * float(min(found.allow, found.reject)))


def _moved(sample: Sample, shown: bool, level: float) -> Moved:
    low, high = evidence.low(sample, level / 2), -evidence.low(sample.mirrored(), level / 2)
    return Moved(_rounded(sample.value), _rounded(low), _rounded(high), shown)


def _rounded(number: Any) -> float:
    return round(float(number), 6) + 0.0  # no -0.0
