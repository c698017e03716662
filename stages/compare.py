"""Compares every model with the baseline, with bootstrap intervals, and judges the gates.

Inputs:  evaluations  folder of <model>-<suite>.jsonl and .json, as `evaluate` wrote them, and of judged suites
                      <model>-<suite>.judge.jsonl and .json, as `judge` did
Outputs: metrics      JSON {model: {metric: value}}; of suites other than compare.suite as <suite>.<metric>
         comparison   JSON {suite: {model: {metric: {value, stderr, low, high, better, least, most, source,
                      difference, difference_low, difference_high}}}}; a difference is value minus baseline's value.
                      Where there are any, empty_draws and difference_empty_draws: draws in which nothing counts for
                      the metric, which are left out of the interval
         gate         JSON {verdict, error, looks, suites: {suite: {rows, sample, answers}}, gates: {name: {verdict,
                      model, metric, against, where, suite, wanted, limit, value, low, high, rows, groups, p_allow,
                      p_reject, level, smallest_effect, more_rows, more_marks, empty_draws, why, warning, noise}}};
                      verdicts are ALLOW, REJECT, INCONCLUSIVE; more_marks: people's, of a judge that they correct;
                      empty_draws: as above; warning: of an allowed gate with `warn`; noise: of a model in compare.seeds
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
from stages.evaluating import gates, resampling, scoring, verdicts
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
            interval = _interval(samples[model][name], params, name)
            stderr = round(float(np.nanstd(samples[model][name])), 6)
            entry = {"value": value, "stderr": stderr, **interval, **suite.declared[name]}
            if model != params.baseline and name in values.get(params.baseline, {}):
                differences = samples[model][name] - samples[params.baseline][name]
                entry["difference"] = round(value - values[params.baseline][name], 6)
                entry |= _interval(differences, params, name, "difference_")
            result[model][name] = entry
    return result


def _redrawn(answers: list[scoring.Answer], groups: list[str], params: Compare) -> dict[str, np.ndarray]:
    """{metric: (samples,)}: each metric over groups of rows that were drawn again; NaN where nothing counts."""
    rows = scoring.statistics(answers)
    if not rows:  # a suite without metrics is only answered
        return {}
    sums = np.hstack([resampling.grouped(of_metric, groups) for of_metric in rows.values()])
    drawn = resampling.redrawn(sums, params.bootstrap_samples, params.seed)
    ends = np.cumsum([of_metric.shape[1] for of_metric in rows.values()])[:-1]
    return {name: resampling.values(name, part) for name, part in zip(rows, np.split(drawn, ends, axis=1), strict=True)}


def _interval(samples: np.ndarray, params: Compare, metric: str, of: str = "") -> dict[str, float]:
    """The interval of the draws that say anything, and how many do not."""
    told, tail = samples[~np.isnan(samples)], (1 - params.confidence) / 2
    if not len(told):
        raise UserError(
            f"compare.bootstrap_samples = {params.bootstrap_samples}: in none of these draws any row counts for "
            f"{metric}: want more draws"
        )
    low, high = np.quantile(told, [tail, 1 - tail])
    empty = {f"{of}empty_draws": len(samples) - len(told)} if len(told) < len(samples) else {}
    return {f"{of}low": round(float(low), 6), f"{of}high": round(float(high), 6), **empty}


def seen(suite: Measured, is_task: bool = False) -> dict[str, Any]:
    """What of a suite was looked at: the number of its rows, a sample of their ids, a hash of all answers.

    What a judge and people say of an answer can be had again without another answer, so it is part of the look.

    Args:
        is_task: of lm-eval, whose rows do not hold all that was answered: of likelihoods the likeliest choice, or
            nothing. So their scores are part of the look.
    """
    ids = sorted({answer.id for answer in next(iter(suite.models.values()))})

    def said(a: scoring.Answer) -> Any:
        return a.scores if not a.prompt else (a.answer, a.scores) if is_task else a.answer  # texts have no answers

    words = [
        [model, [(a.id, said(a), *_judged(a)) for a in answers]] for model, answers in sorted(suite.models.items())
    ]
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
    looked_at = {name: seen(suite, name in evaluate.tasks) for name, suite in suites.items()}
    error = {"error": round(1 - params.confidence, 6), "looks": params.looks}
    accounting.write_json(gate, {"verdict": verdict, **error, "suites": looked_at, "gates": judged})
    keep(gate.read_bytes(), archive)
    left_out = _left_out(compared, params)
    if not judged:
        return f"no gates declared: REJECT; add some to compare.gates{left_out}"
    others = [
        f"; {name}: {of_gate['verdict']}" for name, of_gate in judged.items() if of_gate["verdict"] != verdicts.ALLOW
    ]
    return f"{len(judged) - len(others)} of {len(judged)} gates ALLOW{''.join(others)}{left_out}"


def _left_out(compared: dict[str, Any], params: Compare) -> str:
    """In words, the draws in which nothing counts; "" where there are none."""
    empty = [
        (entry["empty_draws"], f"{model} {name} of {suite}")
        for suite, models in compared.items()
        for model, entries in models.items()
        for name, entry in entries.items()
        if "empty_draws" in entry
    ]
    if not empty:
        return ""
    draws, of = max(empty)
    more = f", as many or fewer for {len(empty) - 1} more" if len(empty) > 1 else ""
    return f"; {draws:,} of {params.bootstrap_samples:,} draws hold no row that counts for {of}{more}: left out"


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
