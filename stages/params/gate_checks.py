"""Gates that no answers could decide: bounds outside the range of their metric, slices that no row can be in."""

import math
from collections.abc import Iterator
from typing import Any

import msgspec

from stages.evaluating.metrics import Metric
from stages.evaluating.verdicts import suite_of
from stages.params.evaluation import AnySuite, Compare, Gate, Suite
from stages.params.lm_eval import Task

NOT_GATED = {  # {metric: why no gate can be on it}
    "macro_f1": "a row of a rare label moves it far: want label_accuracy, with `where` for a label",
}


def problems(compare: Compare, measured: dict[str, Metric], suites: dict[str, AnySuite | Task]) -> list[str]:
    """Problems of the gates, a line each.

    Args:
        measured: {name as in reports/metrics.json: metric}
    """
    found = [*_too_few_samples(compare)]
    for name, gate in compare.gates.items():
        if gate.metric in measured:
            suite, plain = suite_of(gate.metric, suites, compare.suite)
            found += _problems(f"compare.gates.{name}", gate, plain, measured[gate.metric], suites[suite])
    return found


def seed_problems(chapters: dict[str, Any]) -> list[str]:
    """Runs of `compare.seeds` that are not evaluated, or differ by more than their seed."""
    compare, evaluate, train = (chapters.get(name) for name in ("compare", "evaluate", "train"))
    if not compare or not evaluate or train is None:
        return []
    found: list[str] = []
    for model, runs in compare.seeds.items():
        where = f"compare.seeds.{model}"
        names = [name for name in evaluate.models if name in train]
        found += [] if runs else [f"{where} = []: want steps that were trained with other seeds"]
        found += [f"{where} = {run!r}: want one of {', '.join(names)}" for run in (model, *runs) if run not in names]
        steps = [train.get(run) for run in (model, *runs)]
        seen: dict[int, str] = {}
        for run, step in zip(runs, steps[1:], strict=True):
            if step is None or steps[0] is None:
                continue
            ours, theirs = (msgspec.to_builtins(of) for of in (steps[0], step))
            others = [name for name in ours if ours[name] != theirs.get(name, ...)]
            if type(steps[0]) is not type(step) or others != ["seed"]:
                found.append(f"{where}: {run} differs in {', '.join(others) or 'nothing'}: want another seed alone")
            elif step.seed in seen:
                found.append(f"{where}: {run} has the seed of {seen[step.seed]}: want each seed once")
            else:
                seen[step.seed] = run
    return found


def _too_few_samples(compare: Compare) -> Iterator[str]:
    if not compare.gates:
        return
    level, gates = (1 - compare.confidence) / compare.looks, len(compare.gates)
    needed = math.ceil(gates / level * (1 - 1e-12)) - 1  # for the first step of Holm's procedure
    if compare.bootstrap_samples < needed:
        yield (
            f"compare.bootstrap_samples = {compare.bootstrap_samples}: want at least {needed}: the least p-value of as "
            f"many samples is {1 / (compare.bootstrap_samples + 1):.2g}, and the first of {gates} gates needs "
            f"{level / gates:.2g}; so no gate could allow"
        )


def _problems(where: str, gate: Gate, plain: str, metric: Metric, suite: AnySuite | Task) -> Iterator[str]:
    """`plain` is the metric's name without its suite."""
    if gate.against == gate.model:
        yield f"{where}.against = {gate.against!r}: want another model, or null: a model is as good as itself"
    if why := NOT_GATED.get(plain):
        yield f"{where}.metric = {gate.metric!r}: {why}"
    of = f"{'differences of ' if gate.against else ''}{gate.metric}"
    if wanted := _wanted_bound(gate, metric):
        yield f"{where}.bound = {gate.bound:g}: want {wanted}, the range of {of}"
    elif gate.warn is not None and not _is_better(gate, metric):
        yield f"{where}.warn = {gate.warn:g}: want a better bound than {gate.bound:g}, which rejects"
    elif best := [name for name in ("bound", "warn") if getattr(gate, name) in {_best(gate, metric)} - {None}]:
        wanted = "more" if metric.better == "lower" and not gate.against else "less"
        value = getattr(gate, best[0])
        yield f"{where}.{best[0]} = {value:g}: want {wanted}: no number of rows shows that there are no worse ones"
    fields = _fields(suite) if isinstance(suite, Suite) else []
    for field in gate.where or {}:
        if field not in fields:
            wanted = f"one of {', '.join(fields)}: fields" if fields else "null: no field"
            yield f"{where}.where.{field}: want {wanted} of the answers that {gate.metric} is of"


def _is_better(gate: Gate, metric: Metric) -> bool:
    """Whether `warn` asks for more than `bound`, within the range."""
    lower = metric.better == "lower" and not gate.against
    return not _wanted_bound(msgspec.structs.replace(gate, bound=gate.warn), metric) and (
        gate.warn < gate.bound if lower else gate.warn > gate.bound
    )


def _best(gate: Gate, metric: Metric) -> float | None:
    """The best value that there can be; None: there is none."""
    if gate.against:
        return None if metric.most is None else metric.most - metric.least
    return metric.least if metric.better == "lower" else metric.most


def _wanted_bound(gate: Gate, metric: Metric) -> str:
    """The range that a bound is outside of; "" if it is inside."""
    least, most = metric.least, metric.most
    if gate.against:
        least, most = (None, None) if most is None else (least - most, most - least)
    if (least is None or least <= gate.bound) and (most is None or gate.bound <= most):
        return ""
    return f"at least {least:g}" if most is None else f"{least:g} to {most:g}"


def _fields(suite: Any) -> list[str]:
    """The fields of an expected answer, as far as they are declared."""
    label = [suite.label] if suite.label else []
    return list(dict.fromkeys([*label, *suite.slots, *((suite.answer_schema or {}).get("properties") or {})]))
