"""Compares every model with the baseline, with bootstrap intervals, and judges the gates.

Inputs:  evaluations  folder of <model>-<suite>.jsonl and .json, as `evaluate` wrote them, and of judged suites
                      <model>-<suite>.judge.jsonl and .json, as `judge` did
Outputs: metrics      JSON {model: {metric: value}}; of suites other than compare.suite as <suite>.<metric>
         comparison   JSON {suite: {model: {metric: {value, stderr, low, high, better, least, most, source,
                      difference, difference_low, difference_high}}}}; a difference is value minus baseline's value
         gate         JSON {verdict, error, looks, suites: {suite: {rows, sample, answers}}, gates: {name: {verdict,
                      model, metric, against, where, suite, wanted, limit, value, low, high, rows, groups, p_allow,
                      p_reject, level, smallest_effect, more_rows, why, warning, noise}}}; verdicts are ALLOW, REJECT,
                      INCONCLUSIVE; warning: of an allowed gate with `warn`; noise: of a model in compare.seeds
Params:  compare, evaluate

Intervals are percentile bootstraps (Efron 1979) over groups of rows. Differences are paired: of the same rows.
Every gate.json is also kept in the archive, under its hash: `modelmake gate` counts how often rows were looked at.
"""

import hashlib
import os
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from modelmake import harness
from modelmake.errors import UserError
from modelmake.signature import Archive, In, Out
from stages.evaluating import gates, metrics, resampling, scoring, verdicts
from stages.evaluating.gates import Measured
from stages.evaluating.judging import published
from stages.params.evaluation import Compare, Evaluate
from stages.reporting import item_files
from stages.rows import accounting

SAMPLE = 32  # ids of a suite: they are hashes, so the smallest ones are a random sample of its rows


def read(folder: Path, evaluate: Evaluate) -> dict[str, Measured]:
    """{suite: its answers}, as `evaluate` wrote them.

    Raises:
        UserError: files that params.yaml no longer declares; or models answered different rows.
    """
    item_files.check(folder, (f"{model}-{suite}" for model in evaluate.models for suite in evaluate.measured()))
    published.check_files(folder, [f"{model}-{suite}" for model in evaluate.models for suite in evaluate.judge])
    result = {}
    for suite in evaluate.measured():
        models = {model: scoring.read(folder / f"{model}-{suite}.jsonl") for model in evaluate.models}
        if suite in evaluate.judge:
            models = {model: published.join(folder, f"{model}-{suite}", answers) for model, answers in models.items()}
        if len({tuple(a.id for a in of_model) for of_model in models.values()}) > 1:
            raise UserError(f"{folder}: models answered different rows of {suite}: want the same; run `dvc repro`")
        scores = msgspec.json.decode((folder / f"{evaluate.models[0]}-{suite}.json").read_bytes())
        by_judge = published.declared(evaluate.judge[suite]) if suite in evaluate.judge else {}
        declared = scores["declared"] | {name: metric._asdict() for name, metric in by_judge.items()}
        result[suite] = Measured(models, declared)
    return result


def compare(suite: Measured, params: Compare) -> dict[str, Any]:
    """{model: {metric: value, interval, meaning, difference from the baseline}}, of metrics that some row counts for.

    All models are resampled with the same draws, so that differences are paired.
    """
    groups = [answer.group for answer in next(iter(suite.models.values()))]
    samples = {model: _redrawn(answers, groups, params) for model, answers in suite.models.items()}
    values = {model: scoring.totals(answers) for model, answers in suite.models.items()}
    result: dict[str, Any] = {}
    for model in suite.models:
        result[model] = {}
        for name, value in values[model].items():
            interval = _interval(samples[model][name], params, "low", "high")
            stderr = round(float(samples[model][name].std()), 6)
            entry = {"value": value, "stderr": stderr, **interval, **suite.declared[name]}
            if model != params.baseline and name in values.get(params.baseline, {}):
                differences = samples[model][name] - samples[params.baseline][name]
                entry["difference"] = round(value - values[params.baseline][name], 6)
                entry |= _interval(differences, params, "difference_low", "difference_high")
            result[model][name] = entry
    return result


def _redrawn(answers: list[scoring.Answer], groups: list[str], params: Compare) -> dict[str, np.ndarray]:
    """{metric: (samples,)}: each metric over groups of rows that were drawn again."""
    rows = scoring.statistics(answers)
    if not rows:  # a suite without metrics is only answered
        return {}
    sums = np.hstack([resampling.grouped(of_metric, groups) for of_metric in rows.values()])
    drawn = resampling.redrawn(sums, params.bootstrap_samples, params.seed)
    ends = np.cumsum([of_metric.shape[1] for of_metric in rows.values()])[:-1]
    return {name: metrics.value(name, part) for name, part in zip(rows, np.split(drawn, ends, axis=1), strict=True)}


def _interval(samples: np.ndarray, params: Compare, low: str, high: str) -> dict[str, float]:
    tail = (1 - params.confidence) / 2
    ends = np.quantile(samples, [tail, 1 - tail])
    return {low: round(float(ends[0]), 6), high: round(float(ends[1]), 6)}


def seen(suite: Measured) -> dict[str, Any]:
    """What of a suite was looked at: the number of its rows, a sample of their ids, a hash of all answers.

    What a judge and people say of an answer can be had again without another answer, so it is part of the look.
    """
    ids = sorted({answer.id for answer in next(iter(suite.models.values()))})
    words = [
        [model, [(a.id, a.answer if a.prompt else a.scores, *_judged(a)) for a in answers]]
        for model, answers in sorted(suite.models.items())
    ]  # of texts only the scores are known
    answers = hashlib.sha256(msgspec.json.encode(words)).hexdigest()[:24]
    return {"rows": len(ids), "sample": ids[:SAMPLE], "answers": answers}


def _judged(answer: scoring.Answer) -> list[dict[str, Any]]:
    """The judged scores of an answer; nothing where there is no judge."""
    found = {name: of for name, of in answer.scores.items() if name.partition(".")[0] in published.SOURCES}
    return [found] if found else []


def by_model(comparison: dict[str, Any], params: Compare, evaluate: Evaluate) -> dict[str, dict[str, float]]:
    """{model: {metric: value}}; metrics of suites other than the main one have its name before theirs."""
    result: dict[str, dict[str, float]] = {model: {} for model in evaluate.models}
    for suite, models in comparison.items():
        prefix = "" if suite == params.suite else f"{suite}."
        for model, entries in models.items():
            result[model] |= {f"{prefix}{name}": entry["value"] for name, entry in entries.items()}
    return result


def main(
    evaluations: In, metrics: Out, comparison: Out, gate: Out, archive: Archive, params: Compare, evaluate: Evaluate
) -> str:
    suites = read(evaluations, evaluate)
    compared = {name: compare(suite, params) for name, suite in suites.items()}
    judged = gates.judge(suites, params)
    verdict = verdicts.of_all(judged)
    accounting.write_json(metrics, by_model(compared, params, evaluate))
    accounting.write_json(comparison, compared)
    looked_at = {name: seen(suite) for name, suite in suites.items()}
    error = {"error": round(1 - params.confidence, 6), "looks": params.looks}
    accounting.write_json(gate, {"verdict": verdict, **error, "suites": looked_at, "gates": judged})
    keep(gate.read_bytes(), archive)
    if not judged:
        return "no gates declared: REJECT; add some to compare.gates"
    others = [
        f"; {name}: {of_gate['verdict']}" for name, of_gate in judged.items() if of_gate["verdict"] != verdicts.ALLOW
    ]
    return f"{len(judged) - len(others)} of {len(judged)} gates ALLOW{''.join(others)}"


def keep(content: bytes, archive: Path) -> None:
    """Puts a content into the archive, in one step."""
    file = archive / f"{hashlib.sha256(content).hexdigest()[:24]}.json"
    if file.exists():  # its time says when this was first seen
        return
    partial = archive / f".{file.name}.{os.getpid()}.partial"
    partial.write_bytes(content)
    os.replace(partial, file)


if __name__ == "__main__":
    harness.run(main)
