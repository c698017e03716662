"""Slices of a suite: two models on the rows of one label, length, language, source or group.

Intervals are those of the guarded t (stages/evaluating/evidence.py), over groups of rows with the same prompt. Who
looks at many slices sees differences that are none: a verdict holds for all of them together (Bonferroni).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from stages.answers import json_answer, reply
from stages.evaluating import evidence, metrics, resampling, scoring
from stages.evaluating.resampling import Sample
from stages.evaluating.scoring import Answer, Paired

NOT_SLICED = ("macro_f1",)  # in a slice by label it is another metric
# Metrics that count what is expected or given. A row that does not count is right: nothing was expected, none given.
RIGHT_UNCOUNTED = ("slot_f1", "slot_f1_partial", "field_accuracy", "tool_call")
PARTS = 4  # of the lengths


class Slice(NamedTuple):
    by: str
    value: str
    indices: list[int]  # of its rows


def cut(ids: Sequence[str], by: Mapping[str, Mapping[str, Iterable[str]]], min_rows: int) -> tuple[list[Slice], Any]:
    """(the slices with `min_rows` or more, {by: {slices, rows} of the smaller ones, and without: rows in no slice}).

    A slice that leaves out fewer than `min_rows` is none: it is the suite.

    Args:
        by: {what slices: {id: the values that a row has, none if it has no entry}}
    """
    slices: list[Slice] = []
    told: dict[str, Any] = {}
    for name, values in by.items():
        found: dict[str, list[int]] = {}
        for index, id in enumerate(ids):
            for value in values.get(id, ()):
                found.setdefault(value, []).append(index)
        enough = {value: rows for value, rows in sorted(found.items()) if len(rows) >= min_rows}
        slices += [Slice(name, value, rows) for value, rows in enough.items() if len(rows) + min_rows <= len(ids)]
        small = [rows for value, rows in found.items() if value not in enough]
        without = len(ids) - len(set().union(*found.values()))
        told[name] = {"small": len(small), "rows": sum(map(len, small)), "without": without}
    return slices, told


def labels(answers: Sequence[Answer], field: str) -> dict[str, tuple[str]]:
    """{id: the expected label} of the rows that have a plain one."""
    found = {a.id: json_answer.fields(reply.parse(a.expected, []).text).get(field) for a in answers}
    return {
        id: (label if isinstance(label, str) else json.dumps(label),)
        for id, label in found.items()
        if label is not None and not isinstance(label, list | dict)
    }


def lengths(answers: Sequence[Answer]) -> dict[str, tuple[str]]:
    """{id: which fourth of the rows it belongs to by the characters of its prompt, or of a text}."""
    characters = {a.id: len(a.prompt or a.expected) for a in answers}
    ends = sorted({int(end) for end in np.quantile([*characters.values()], np.arange(1, PARTS) / PARTS)})
    names = [f"{low + 1} to {high} characters" for low, high in zip([-1, *ends], ends, strict=False)]
    names = [*names, f"more than {ends[-1]} characters"]
    return {id: (names[int(np.searchsorted(ends, length))],) for id, length in characters.items()}


def table(
    slices: Sequence[Slice], model: list[Answer], other: list[Answer], declared: dict[str, Any], confidence: float
) -> list[dict[str, Any]]:
    """What each metric says of each slice; the entries are as many looks.

    Each is {by, value, metric, rows, groups, score, low, high, against, difference, difference_low, difference_high,
    verdict}: score of the model and of the other one, score less that, and "worse" or "better" if that is shown for
    all looks together.

    Args:
        declared: {metric: {better, least, most}}
    """
    found = []
    for part in slices:
        answers = [[of_model[index] for index in part.indices] for of_model in (model, other)]
        for metric in (name for name in declared if name not in NOT_SLICED):
            paired = scoring.paired(metric, answers)
            if paired is not None and len(paired.sizes) > 1:
                found.append((part, metric, paired))
    level = 1 - confidence
    return [
        {"by": part.by, "value": part.value, "metric": metric, "rows": int(paired.sizes.sum())}
        | _entry(*_samples(metric, declared[metric], paired), declared[metric], level, level / len(found))
        for part, metric, paired in found
    ]


def _samples(metric: str, declared: dict[str, Any], paired: Paired) -> list[Sample]:
    ends = declared["least"], declared["most"]
    return [
        resampling.of_model(metric, sums, resampling.span(metric, *ends, sums, paired.sizes), samples=1, seed=0)
        for sums in paired.sums
    ]


def _entry(model: Sample, other: Sample, declared: dict[str, Any], level: float, of_all: float) -> dict[str, Any]:
    least, most = declared["least"], declared["most"]
    difference = resampling.gain(model, other, bounded=most is not None)
    low, high = _interval(model, level)
    gained = difference.mirrored() if declared["better"] == "lower" else difference
    shown = _interval(gained, of_all)
    ends = _interval(difference, level)
    return {
        "groups": model.moves.shape[-1], "score": _rounded(model.value),
        "low": _rounded(max(low, least)), "high": _rounded(high if most is None else min(high, most)),
        "against": _rounded(other.value), "difference": _rounded(difference.value),
        "difference_low": _rounded(ends[0]), "difference_high": _rounded(ends[1]),
        "verdict": "worse" if shown[1] < 0 else "better" if shown[0] > 0 else "",
    }  # fmt: skip


def _interval(sample: Sample, level: float) -> tuple[float, float]:
    return float(evidence.low(sample, level / 2)), -float(evidence.low(sample.mirrored(), level / 2))


def _rounded(number: Any) -> float:
    return round(float(number), 6) + 0.0  # no -0.0


def losses(metric: str, better: str, model: list[Answer], other: list[Answer]) -> np.ndarray:
    """(rows,) how much of a metric the model lost on each row against the other one; 0 where it does not count.

    A model that gives what is not expected loses all to one that does not.
    """
    ours, theirs = (metrics.table([answer.scores[metric] for answer in of]) for of in (model, other))
    counts = np.stack([ours.any(axis=1), theirs.any(axis=1)])
    values = np.stack([metrics.value(metric, ours), metrics.value(metric, theirs)])
    if metric.partition(".")[0] in RIGHT_UNCOUNTED:
        values, counted = np.where(counts, values, 1.0), counts.any(axis=0)
    else:
        counted = counts.all(axis=0)
    lost = values[1] - values[0]
    return np.where(counted, -lost if better == "lower" else lost, 0.0)
