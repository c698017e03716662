"""The verdicts of gates: ALLOW, REJECT or INCONCLUSIVE, from the answers of the models to the same rows.

Rows with the same prompt are one group: the same question, asked once.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from stages.answers import json_answer, reply
from stages.evaluating import evidence, metrics, resampling, scoring
from stages.evaluating.evidence import Evidence
from stages.evaluating.judging import corrected
from stages.evaluating.resampling import Sample
from stages.evaluating.scoring import Answer
from stages.evaluating.verdicts import ALLOW, INCONCLUSIVE, REJECT, suite_of
from stages.params.evaluation import Compare, Gate


class Measured(NamedTuple):
    """A suite as the models answered it."""

    models: dict[str, list[Answer]]  # {model: its answers}, in the same order of rows
    declared: dict[str, Any]  # {metric: {better, least, most, source}}


class Shown(NamedTuple):
    """What answers show of a bound. More is better, whatever the metric: where less is, its values are negative."""

    bound: float
    sample: Sample
    evidence: Evidence
    ends: tuple[float, float] | None  # of a metric with a range that is held against a bound
    marks: "_Marks | None"  # of a judge's score that people's marks correct


class _Marks(NamedTuple):
    """People's marks of answers."""

    moves: np.ndarray  # (groups,): the part of each group's move that is its marks
    count: int
    most: float  # so many times as many, and all answers of a model are marked


class _Case(NamedTuple):
    """What a gate is judged by."""

    gate: Gate
    turned: bool  # the metric is held against a bound, and less of it is better
    rows: int
    shown: Shown
    beyond: Shown | None  # of `warn`
    noise: float | str | None  # standard deviation of the metric between models that differ by their seed, or why none


class _Undecided(NamedTuple):
    """A verdict without a case."""

    verdict: str
    why: str


def judge(suites: dict[str, Measured], params: Compare) -> dict[str, dict[str, Any]]:
    """{gate: its verdict and all that led to it}, by Holm's procedure over all gates.

    A gate on nothing is a REJECT, with `why`; one on a model that alone has no value, or on fewer rows than `min_rows`,
    is INCONCLUSIVE at best.
    """
    cases = {name: _case(gate, suites, params) for name, gate in params.gates.items()}
    level = (1 - params.confidence) / params.looks
    lows, highs = (
        dict(zip(cases, zip(*evidence.holm(p_values, level), strict=True), strict=True))
        for p_values in (
            [1.0 if isinstance(case, _Undecided) else float(case.shown.evidence.allow) for case in cases.values()],
            [1.0 if isinstance(case, _Undecided) else float(case.shown.evidence.reject) for case in cases.values()],
        )
    )
    result = {}
    for name, case in cases.items():
        gate = params.gates[name]
        told = {"model": gate.model, "metric": gate.metric, "against": gate.against, "where": gate.where}
        told |= {"suite": suite_of(gate.metric, suites, params.suite)[0], "wanted": gate.bound}
        if isinstance(case, _Undecided):
            result[name] = {"verdict": case.verdict, **told, "why": case.why}
        else:
            result[name] = _told(case, *lows[name], *highs[name], params) | told
    return result


def _case(gate: Gate, suites: dict[str, Measured], params: Compare) -> _Case | _Undecided:
    """The case of a gate, or why there is none."""
    suite, metric = suite_of(gate.metric, suites, params.suite)
    measured = suites.get(suite, Measured({}, {}))
    names = [gate.model, *([gate.against] if gate.against else [])]
    if metric not in measured.declared or not all(model in measured.models for model in names):
        return _Undecided(REJECT, f"{gate.metric} of {gate.model} was not measured")
    chosen = [i for i, answer in enumerate(measured.models[gate.model]) if _matches(answer, gate.where)]
    answers = [[measured.models[model][i] for i in chosen] for model in names]
    if not chosen:
        return _Undecided(REJECT, f"no row of {suite} has {_conditions(gate)}: want some; correct where")
    paired = scoring.paired(metric, answers)
    if paired is None:
        return _unmeasured(gate, metric, dict(zip(names, answers, strict=True)))
    declared = measured.declared[metric]
    found, beyond = (
        None if bound is None else shown(metric, declared, *paired, bound, params) for bound in (gate.bound, gate.warn)
    )
    runs = [gate.model, *params.seeds.get(gate.model, ())]
    of_runs = {run: [measured.models[run][i] for i in chosen] for run in runs}
    noise = _silent(metric, of_runs) or noises(of_runs, metric) if len(runs) > 1 else None
    turned = declared["better"] == "lower" and not gate.against
    return _Case(gate, turned, int(paired.sizes.sum()), found, beyond, noise)


def _unmeasured(gate: Gate, metric: str, models: dict[str, list[Answer]]) -> _Undecided:
    """Of several models one may have a value: it is not better or worse than one that has none."""
    if metric.partition(".")[0] != corrected.NAME and len(_unvalued(metric, models)) == len(models):
        rows = len(models[gate.model])
        return _Undecided(REJECT, f"{gate.metric} counts none of {rows} rows: nothing was measured")
    return _Undecided(INCONCLUSIVE, f"{gate.metric}: {_silent(metric, models)}")


def _unvalued(metric: str, models: dict[str, list[Answer]]) -> list[str]:
    tables = {name: metrics.table([answer.scores[metric] for answer in answers]) for name, answers in models.items()}
    return [name for name, rows in tables.items() if not scoring.has_value(metric, rows)]


def _silent(metric: str, models: dict[str, list[Answer]]) -> str:
    """Why models have no value of a metric; "" if all have one."""
    names = ", ".join(_unvalued(metric, models))
    if names and metric.partition(".")[0] == corrected.NAME:
        return f"people marked no answer of {names}"
    return f"counts none of {len(next(iter(models.values())))} rows of {names}" if names else ""


def noises(runs: dict[str, list[Answer]], metric: str) -> float:
    """The standard deviation of a metric between models that were trained with other seeds."""
    tables = [metrics.table([answer.scores[metric] for answer in answers]) for answers in runs.values()]
    return float(np.std([metrics.value(metric, rows.sum(axis=0)) for rows in tables], ddof=1))


def shown(
    metric: str, declared: dict[str, Any], sums: list[np.ndarray], sizes: np.ndarray, bound: float, params: Compare
) -> Shown:
    """What a model's answers show of a bound, or, beside another model's, of the bound of its gain.

    Args:
        sums: (..., groups, k) of one model, or of two.
        sizes: (groups,) rows of each group.
    """
    lower, least, most = declared["better"] == "lower", declared["least"], declared["most"]
    settings = (params.bootstrap_samples, params.seed)
    samples = [
        resampling.of_model(metric, of_model, resampling.span(metric, least, most, of_model, sizes), *settings)
        for of_model in sums
    ]
    sample = samples[0] if len(samples) == 1 else resampling.gain(*samples, bounded=most is not None)
    sample = sample.mirrored() if lower else sample
    alone = len(samples) == 1
    ends = None if most is None or not alone else (-most, -least) if lower else (least, most)
    certain = None
    if sizes.max() == 1 and all(_hits(of_model) for of_model in sums):
        hits = [1 - of_model[..., 0] if lower else of_model[..., 0] for of_model in sums]
        certain = evidence.exact(hits[0], None if alone else hits[1], 1 - bound if lower and alone else bound)
    bound = -bound if lower and alone else bound
    marks = _marks(sums) if metric.partition(".")[0] == corrected.NAME else None
    return Shown(bound, sample, evidence.evidence(sample, bound, certain, params.seed), ends, marks)


def _marks(sums: list[np.ndarray]) -> _Marks:
    """Those of a model, or of two whose scores are subtracted."""
    counts = [of_model[..., 3].sum() for of_model in sums]
    moves = [corrected.moves_of_marks(of_model) for of_model in sums]
    most = min(of_model[..., 4].sum() / max(count, 1) for of_model, count in zip(sums, counts, strict=True))
    return _Marks(moves[0] - sum(moves[1:]), int(sum(counts)), float(most))


def _hits(sums: np.ndarray) -> bool:
    """Each row is a hit or none: (1, 1) or (0, 1)."""
    return sums.shape[-1] == 2 and bool((sums[..., 1] == 1).all() and np.isin(sums[..., 0], (0, 1)).all())


def _matches(answer: Answer, where: dict[str, Any] | None) -> bool:
    expected = json_answer.fields(reply.parse(answer.expected, []).text) if where else {}
    return all(name in expected and json_answer.equal(expected[name], value) for name, value in (where or {}).items())


def _conditions(gate: Gate) -> str:
    return " and ".join(f"{name} = {value!r}" for name, value in (gate.where or {}).items())


def _told(
    case: _Case, allowed: bool, low_level: float, rejected: bool, high_level: float, params: Compare
) -> dict[str, Any]:
    found, ends, sample = case.shown, case.shown.ends, case.shown.sample
    verdict = ALLOW if allowed else REJECT if rejected else INCONCLUSIVE
    level = (1 - params.confidence) / params.looks / len(params.gates)
    plan = evidence.planned(sample, found.bound, ends)
    smallest = float(evidence.smallest(plan, level, params.power, between=bool(case.gate.against)))
    low, high = float(evidence.low(sample, low_level)), -float(evidence.low(sample.mirrored(), high_level))
    if ends:
        low, high = max(low, ends[0]), min(high, ends[1])
    value = float(sample.value)
    if case.turned:
        value, low, high = -value, -high, -low
    result = {
        "verdict": verdict if case.rows >= params.min_rows else INCONCLUSIVE,
        "value": _rounded(value), "limit": "at most" if case.turned else "at least",
        "low": _rounded(low), "high": _rounded(high), "rows": case.rows, "groups": sample.moves.shape[-1],
        "p_allow": _rounded(found.evidence.allow), "p_reject": _rounded(found.evidence.reject),
        "level": float(f"{low_level:.6g}"),
        "smallest_effect": None if ends and found.bound + smallest > ends[1] else _rounded(smallest),
    }  # fmt: skip
    if case.beyond and result["verdict"] == ALLOW:
        result["warning"] = bool(case.beyond.evidence.allow > low_level)
    if isinstance(case.noise, float):
        result["noise"] = _rounded(case.noise)
    if sample.empty_draws:
        result["empty_draws"] = sample.empty_draws
    if result["verdict"] == INCONCLUSIVE:
        result |= _more(case, plan, level, params)
    return result | {"why": _why(case, result, params)}


def _more(case: _Case, plan: evidence.Suite, level: float, params: Compare) -> dict[str, int | None]:
    """What would tell such a value from the bound: {more_rows} beside those that are there, None if no number would;
    of a judge's corrected score also {more_marks} of people, with no more rows where these alone would do.
    """
    marks = case.shown.marks
    if marks and case.rows >= params.min_rows:
        times = evidence.part_needed(plan, case.shown.sample, marks.moves, marks.most, level, params.power)
        if math.isfinite(times):
            return {"more_rows": 0, "more_marks": max(1, math.ceil((times - 1) * marks.count))}
    groups = evidence.groups_needed(plan, level, params.power)
    if not math.isfinite(groups):
        return {"more_rows": None}
    needed = math.ceil(float(groups) * case.rows / case.shown.sample.moves.shape[-1])
    rows = max(1, needed - case.rows, params.min_rows - case.rows)
    return {"more_rows": rows} | ({"more_marks": math.ceil(rows * marks.count / case.rows)} if marks else {})


def _why(case: _Case, result: dict[str, Any], params: Compare) -> str:
    gate = case.gate
    where = f" where {_conditions(gate)}" if gate.where else ""
    of = f"{gate.metric}: the gain of {gate.model} on {gate.against}"
    of = f"{of if gate.against else f'{gate.metric} of {gate.model}'}{where}"
    found = f"{of} is {result['value']:.4f}, want {result['limit']} {gate.bound}"
    if result.get("warning"):
        found = f"{found}; a warning: not shown to be {result['limit']} {gate.warn}"
    if isinstance(case.noise, str):
        found = f"{found}; its noise of training is unknown: {case.noise}"
    elif case.noise is not None:
        found = f"{found}; trained with other seeds it varies by {case.noise:.4f}, its standard deviation"
    if "empty_draws" in result:
        empty = f"{result['empty_draws']:,} of {params.bootstrap_samples:,}"
        found = f"{found}; {empty} draws hold no row that counts and are left out"
    if result["verdict"] != INCONCLUSIVE:
        return found
    if case.rows < params.min_rows:
        return f"{found}; {case.rows} rows, want at least {params.min_rows}"
    return f"{found}; not settled: {_would(result)}"


def _would(result: dict[str, Any]) -> str:
    rows, marks = result["more_rows"], result.get("more_marks", 0)
    more = [*([f"{rows:,} more rows"] if rows else []), *([f"{marks:,} more marks of people"] if marks else [])]
    return f"{' with '.join(more)} would, if it stays so" if more else "no more rows would"


def _rounded(number: Any) -> float:
    return round(float(number), 6) + 0.0  # no -0.0
