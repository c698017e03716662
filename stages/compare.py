"""Sets every model beside the baseline, with bootstrap intervals, and gives the gates' verdict.

Inputs:  evaluations  folder of <model>-<suite>.jsonl and .json, as `evaluate` wrote them
Outputs: metrics      JSON {model: {metric: value}}; metrics of suites other than compare.suite as <suite>.<metric>
         comparison   JSON {suite: {model: {metric: {value, low, high, difference, difference_low, difference_high}}}}
         gate         JSON {verdict: pass|fail, gates: {name: {verdict, found, wanted, low, high, why}}}
Params:  compare, evaluate

Intervals are percentile bootstraps over rows (Efron 1979); differences are paired: both models on the same rows.
"""

from pathlib import Path
from typing import Any

import numpy as np

from modelmake import harness
from modelmake.errors import UserError
from modelmake.signature import In, Out
from stages.evaluating import scoring
from stages.params.evaluation import Compare, Evaluate, Gate
from stages.reporting import item_files
from stages.rows import accounting


def read(folder: Path, declared: Evaluate) -> dict[str, dict[str, list[scoring.Answer]]]:
    """{suite: {model: answers}}.

    Raises:
        UserError: a file that params.yaml no longer declares, or models that answered different rows.
    """
    item_files.check(folder, (f"{model}-{suite}" for model in declared.models for suite in declared.suites))
    found = {
        suite: {model: scoring.read(folder / f"{model}-{suite}.jsonl") for model in declared.models}
        for suite in declared.suites
    }
    for suite, models in found.items():
        if len({tuple(a.id for a in answers) for answers in models.values()}) > 1:
            raise UserError(f"{folder}: models answered different rows of {suite}: want the same; run `dvc repro`")
    return found


def resampled(answers: list[scoring.Answer], draws: np.ndarray) -> dict[str, np.ndarray]:
    """{metric: (samples,)} over the rows drawn: draws is (samples, rows), indices."""
    result = {}
    for name in answers[0].scores:
        above, below = np.array([a.scores[name] for a in answers]).T
        total = below[draws].sum(axis=1)
        result[name] = above[draws].sum(axis=1) / np.where(total == 0, 1, total)
    return result


def compare(models: dict[str, list[scoring.Answer]], params: Compare) -> tuple[dict[str, Any], dict[str, Any]]:
    """Every model's metrics with intervals and differences from the baseline; and the samples behind them."""
    n = len(next(iter(models.values())))
    draws = np.random.default_rng(params.seed).integers(0, n, size=(params.bootstrap_samples, n))
    values = {model: scoring.totals(answers) for model, answers in models.items()}
    samples = {model: resampled(answers, draws) for model, answers in models.items()}
    result: dict[str, Any] = {}
    for model in models:
        for name, value in values[model].items():
            entry = {"value": value, **_interval(samples[model][name], params, "low", "high")}
            if model != params.baseline and params.baseline in models:
                gap = samples[model][name] - samples[params.baseline][name]
                entry["difference"] = round(value - values[params.baseline][name], 6)
                entry |= _interval(gap, params, "difference_low", "difference_high")
            result.setdefault(model, {})[name] = entry
    return result, samples


def judge(gate: Gate, n: int, compared: dict[str, Any], samples: dict[str, Any], params: Compare) -> dict[str, Any]:
    """A gate's verdict. A gate on too few rows, or on a metric that is not there, fails and says so."""
    metric, shown = gate.metric, f"{gate.metric} of {gate.model}"
    if metric not in compared.get(gate.model, {}) or (gate.against and metric not in compared.get(gate.against, {})):
        return {"verdict": "fail", "wanted": gate.min, "why": f"{shown} was not measured"}
    found, spread = compared[gate.model][metric]["value"], samples[gate.model][metric]
    if gate.against:
        shown += f" minus that of {gate.against}"
        found = round(found - compared[gate.against][metric]["value"], 6)
        spread = spread - samples[gate.against][metric]
    few = n < params.min_rows
    verdict = "pass" if found >= gate.min and not few else "fail"
    why = f"{n} rows, want at least {params.min_rows}" if few else f"{shown} is {found:.4f}, want at least {gate.min}"
    return {
        "verdict": verdict, "found": round(found, 6), "wanted": gate.min,
        **_interval(spread, params, "low", "high"), "why": why,
    }  # fmt: skip


def _interval(samples: np.ndarray, params: Compare, low: str, high: str) -> dict[str, float]:
    tail = (1 - params.confidence) / 2
    ends = np.quantile(samples, [tail, 1 - tail])
    return {low: round(float(ends[0]), 6), high: round(float(ends[1]), 6)}


def main(evaluations: In, metrics: Out, comparison: Out, gate: Out, params: Compare, declared: Evaluate) -> str:
    found = read(evaluations, declared)
    compared: dict[str, Any] = {}
    # by model and metric, with the suite's name before it
    entries: dict[str, Any] = {model: {} for model in declared.models}
    spreads: dict[str, Any] = {model: {} for model in declared.models}
    rows_of: dict[str, int] = {}
    for suite, models in found.items():
        compared[suite], samples = compare(models, params)
        prefix = "" if suite == params.suite else f"{suite}."
        for model, by_metric in compared[suite].items():
            entries[model] |= {f"{prefix}{name}": entry for name, entry in by_metric.items()}
            spreads[model] |= {f"{prefix}{name}": spread for name, spread in samples[model].items()}
            rows_of |= {f"{prefix}{name}": len(models[model]) for name in by_metric}
    gates = {name: judge(g, rows_of.get(g.metric, 0), entries, spreads, params) for name, g in params.gates.items()}
    failed = [name for name, result in gates.items() if result["verdict"] == "fail"]
    accounting.write_json(
        metrics, {model: {n: entry["value"] for n, entry in e.items()} for model, e in entries.items()}
    )
    accounting.write_json(comparison, compared)
    accounting.write_json(gate, {"verdict": "fail" if failed or not gates else "pass", "gates": gates})
    if not gates:
        return "no gates declared: verdict fail; add some to compare.gates"
    return f"{len(gates) - len(failed)} of {len(gates)} gates pass" + (
        f"; FAILED: {', '.join(failed)}" if failed else ""
    )


if __name__ == "__main__":
    harness.run(main)
