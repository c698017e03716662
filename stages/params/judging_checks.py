"""Checks of `evaluate.judge`, and of gates on what a judge says: they need people who bear it out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stages.evaluating.judging.corrected import NAME as CORRECTED
from stages.evaluating.judging.published import ALONE
from stages.evaluating.verdicts import suite_of
from stages.params.answering import Greedy
from stages.params.evaluation import Compare, Evaluate, Gate
from stages.params.judging import Pairwise

CALIBRATIONS, TEMPLATES = Path("data/judge"), Path("stages/evaluating/judging/prompts")  # as dvc.yaml has them


def problems(chapters: dict[str, Any]) -> list[str]:
    """What is wrong, a line each, as `section.field = value: wanted`."""
    evaluate, compare, answer = (chapters.get(name) for name in ("evaluate", "compare", "answer"))
    if not evaluate or not evaluate.judge:
        return []
    mismatches = [*_suites(evaluate, answer or {})]
    for name, gate in compare.gates.items() if compare else ():
        suite, metric = suite_of(gate.metric, evaluate.suites, compare.suite)
        kind, _, rubric = metric.partition(".")
        if kind in (ALONE, CORRECTED) and rubric in getattr(evaluate.judge.get(suite), "rubrics", {}):
            mismatches += _gate(f"compare.gates.{name}", gate, kind, suite, rubric, evaluate, compare)
    return mismatches


def _suites(evaluate: Evaluate, answer: dict[str, Any]) -> Iterator[str]:
    for name in evaluate.judge:
        if name not in evaluate.suites:
            yield f"evaluate.judge.{name}: no such suite: want one of {', '.join(evaluate.suites)}"
        elif (entry := answer.get(name)) and not isinstance(entry, Greedy):
            kind = type(entry).__struct_config__.tag
            yield f"evaluate.judge.{name}: answer.{name}.kind = {kind!r}: want 'greedy': one answer to a row is judged"


def _gate(
    where: str, gate: Gate, kind: str, suite: str, rubric: str, evaluate: Evaluate, compare: Compare
) -> Iterator[str]:
    judge, models = evaluate.judge[suite], [gate.model, *([gate.against] if gate.against else [])]
    if kind == ALONE:
        wanted = gate.metric.replace(f"{ALONE}.", f"{CORRECTED}.")
        yield f"{where}.metric = {gate.metric!r}: want {wanted!r}: how far a judge errs, no number of rows tells"
        return
    if gate.where:
        yield f"{where}.where: want null: people marked a sample of all answers, not of these"
    if isinstance(judge.rubrics[rubric], Pairwise) and compare.baseline in models:
        yield f"{where}: model or against = {compare.baseline!r}: want others: pairs are made with compare.baseline"
        return
    from stages.augmenting.requests import Prompts
    from stages.evaluating.judging import calibration  # brings what requests are sent with

    path = calibration.path(CALIBRATIONS, suite, rubric)
    again, found = f"`modelmake judge calibrate {suite} {rubric}`", calibration.read(path)
    found_at, way_on = f"{where}.metric = {gate.metric!r}", f"take the gate out, build, run {again}, put it back"
    if found is None:
        yield f"{found_at}: no {path}: want people's marks; {way_on}"
        return
    if changed := found.changed(calibration.binding(judge, rubric, Prompts(TEMPLATES))):
        yield f"{found_at}: {path} is of another {' and '.join(changed)}: {way_on}"
        return
    for model in models:
        if (marked := len(found.marks.get(model, {}))) < calibration.MIN_MARKED:
            yield (
                f"{found_at}: people marked {marked} answers of {model}: want {calibration.MIN_MARKED} or more; mark "
                f"more and run {again}; if answers changed since, {way_on}"
            )
        if (agreed := found.agreement.get(model)) and agreed.value < calibration.MIN_AGREEMENT:
            yield (
                f"{found_at}: the judge agrees with people on {agreed.value:g} of {agreed.of} answers of {model}: want "
                f"{calibration.MIN_AGREEMENT:g} or more; sharpen the criteria, or take another judge; {way_on}"
            )
