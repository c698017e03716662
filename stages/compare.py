"""Compares every model with the baseline, with bootstrap intervals, and judges the gates.

Inputs:  evaluations  folder of <model>-<suite>.jsonl and .json, as `evaluate` wrote them
Outputs: metrics      JSON {model: {metric: value}}; of suites other than compare.suite as <suite>.<metric>
         comparison   JSON {suite: {model: {metric: {value, low, high, better, least, most, source,
                      difference, difference_low, difference_high}}}}; a difference is value minus baseline's value
         gate         JSON {verdict: pass|fail, gates: {name: {verdict, value, limit, wanted, low, high, why}}}
Params:  compare, evaluate

Intervals are percentile bootstraps over rows (Efron 1979); differences are paired: both models on the same rows.
"""

from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from modelmake import harness
from modelmake.errors import UserError
from modelmake.signature import In, Out
from stages.evaluating import scoring
from stages.params.evaluation import Compare, Evaluate, Gate
from stages.reporting import item_files
from stages.rows import accounting


class Comparison(NamedTuple):
    suites: dict[str, Any]  # suite -> model -> metric -> value, interval, …: the content of comparison.json
    # below, metrics of suites other than compare.suite are named <suite>.<metric>
    entries: dict[str, dict[str, Any]]  # model -> metric -> the same
    samples: dict[str, dict[str, np.ndarray]]  # model -> metric -> (samples,)
    rows: dict[str, int]  # metric -> rows that it was measured on


def read(folder: Path, evaluate: Evaluate) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """({suite: {model: answers}}, {suite: {metric: what it means}}), as `evaluate` wrote them.

    Raises:
        UserError: files that params.yaml no longer declares; or models answered different rows.
    """
    item_files.check(folder, (f"{model}-{suite}" for model in evaluate.models for suite in evaluate.suites))
    answers = {
        suite: {model: scoring.read(folder / f"{model}-{suite}.jsonl") for model in evaluate.models}
        for suite in evaluate.suites
    }
    for suite, models in answers.items():
        if len({tuple(a.id for a in of_model) for of_model in models.values()}) > 1:
            raise UserError(f"{folder}: models answered different rows of {suite}: want the same; run `dvc repro`")
    scores = {suite: (folder / f"{evaluate.models[0]}-{suite}.json").read_bytes() for suite in evaluate.suites}
    return answers, {suite: msgspec.json.decode(text)["declared"] for suite, text in scores.items()}


def resample(answers: list[scoring.Answer], draws: np.ndarray) -> dict[str, np.ndarray]:
    """{metric: (samples,)}: each metric over each draw of rows.

    Args:
        draws: (samples, rows) indices of answers.
    """
    result = {}
    for name in answers[0].scores:
        numerators, denominators = np.array([a.scores[name] for a in answers]).T
        totals = denominators[draws].sum(axis=1)
        result[name] = numerators[draws].sum(axis=1) / np.where(totals == 0, 1, totals)
    return result


def compare(
    models: dict[str, list[scoring.Answer]], declared: dict[str, Any], params: Compare
) -> tuple[dict[str, Any], dict[str, Any]]:
    """({model: {metric: value, interval, meaning, difference from the baseline}}, {model: {metric: (samples,)}}).

    All models are resampled with the same draws, so that differences are paired.
    """
    n = len(next(iter(models.values())))
    draws = np.random.default_rng(params.seed).integers(0, n, size=(params.bootstrap_samples, n))
    values = {model: scoring.totals(answers) for model, answers in models.items()}
    samples = {model: resample(answers, draws) for model, answers in models.items()}
    result: dict[str, Any] = {}
    for model in models:
        for name, value in values[model].items():
            entry = {"value": value, **_interval(samples[model][name], params, "low", "high"), **declared[name]}
            if model != params.baseline and params.baseline in models:
                differences = samples[model][name] - samples[params.baseline][name]
                entry["difference"] = round(value - values[params.baseline][name], 6)
                entry |= _interval(differences, params, "difference_low", "difference_high")
            result.setdefault(model, {})[name] = entry
    return result, samples


def judge(gate: Gate, comparison: Comparison, params: Compare) -> dict[str, Any]:
    """The verdict of a gate. A gate on too few rows, or on a metric that was not measured, fails.

    The value of a gate against a model is by how much `gate.model` is better, and so is its interval.
    """
    metric, measured = gate.metric, f"{gate.metric} of {gate.model}"
    entries, samples, rows = comparison.entries, comparison.samples, comparison.rows.get(gate.metric, 0)
    if metric not in entries.get(gate.model, {}) or (gate.against and metric not in entries.get(gate.against, {})):
        return {"verdict": "fail", "wanted": gate.bound, "why": f"{measured} was not measured"}
    value, values = entries[gate.model][metric]["value"], samples[gate.model][metric]
    lower = entries[gate.model][metric]["better"] == "lower"
    if gate.against:
        gained, measured = (-1 if lower else 1), f"{metric}: the gain of {gate.model} on {gate.against} is"
        value = round(gained * (value - entries[gate.against][metric]["value"]), 6) + 0.0
        values = gained * (values - samples[gate.against][metric])
    else:
        measured += " is"
    limit = "at most" if lower and not gate.against else "at least"
    passes = value <= gate.bound if limit == "at most" else value >= gate.bound
    why = f"{measured} {value:.4f}, want {limit} {gate.bound}"
    if rows < params.min_rows:
        passes, why = False, f"{rows} rows, want at least {params.min_rows}"
    return {
        "verdict": "pass" if passes else "fail", "value": round(value, 6), "limit": limit, "wanted": gate.bound,
        **_interval(values, params, "low", "high"), "why": why,
    }  # fmt: skip


def _interval(samples: np.ndarray, params: Compare, low: str, high: str) -> dict[str, float]:
    tail = (1 - params.confidence) / 2
    ends = np.quantile(samples, [tail, 1 - tail])
    return {low: round(float(ends[0]), 6), high: round(float(ends[1]), 6)}


def compare_suites(answers: dict[str, Any], declared: dict[str, dict[str, Any]], params: Compare) -> Comparison:
    """Compares the models on every suite; the arguments are those that `read` returns."""
    comparison = Comparison({}, {}, {}, {})
    for suite, models in answers.items():
        comparison.suites[suite], samples = compare(models, declared[suite], params)
        prefix = "" if suite == params.suite else f"{suite}."
        for model, entries in comparison.suites[suite].items():
            for name, entry in entries.items():
                comparison.entries.setdefault(model, {})[f"{prefix}{name}"] = entry
                comparison.samples.setdefault(model, {})[f"{prefix}{name}"] = samples[model][name]
                comparison.rows[f"{prefix}{name}"] = len(models[model])
    return comparison


def main(evaluations: In, metrics: Out, comparison: Out, gate: Out, params: Compare, evaluate: Evaluate) -> str:
    result = compare_suites(*read(evaluations, evaluate), params)
    gates = {name: judge(declared, result, params) for name, declared in params.gates.items()}
    failed = [name for name, judged in gates.items() if judged["verdict"] == "fail"]
    values = {model: {name: entry["value"] for name, entry in result.entries.get(model, {}).items()}
              for model in evaluate.models}  # fmt: skip
    accounting.write_json(metrics, values)
    accounting.write_json(comparison, result.suites)
    accounting.write_json(gate, {"verdict": "fail" if failed or not gates else "pass", "gates": gates})
    if not gates:
        return "no gates declared: verdict fail; add some to compare.gates"
    failures = f"; FAILED: {', '.join(failed)}" if failed else ""
    return f"{len(gates) - len(failed)} of {len(gates)} gates pass{failures}"


if __name__ == "__main__":
    harness.run(main)
