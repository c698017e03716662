"""What builds have and where they differ, as plain values: lists have an entry a build, None where it has none.

Differences are of each build less the first one, on the rows that both answered, row by row.
"""

import json
from collections.abc import Iterable
from typing import Any

import msgspec

from modelmake.keys import stage_key
from stages import compare
from stages.commands.compare_builds import Build
from stages.evaluating import scoring, verdicts
from stages.evaluating.gates import Measured
from stages.params.evaluation import Compare
from stages.reporting import charts
from stages.reporting.build import main_metric

DATA_STAGES = ("ingest", "clean", "dedup", "split", "augment", "mix")
FIRST, OTHER = "first", "other"  # names of builds where rows are compared


def gates(judged: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """{gate: its verdict in each build}.

    Args:
        judged: gates of each build, as `modelmake gate` tells them.
    """
    return {name: [of_build.get(name) for of_build in judged] for name in _names(judged)}


def scores(builds: list[Build]) -> dict[str, dict[str, dict[str, list[Any]]]]:
    """{suite: {metric: {model: [{value, low, high, better, …, and of others than the first from_first}]}}}.

    The entries are those of reports/comparison.json. `from_first` is {by, low, high, rows, only_first, only_this};
    {same: True} where all answers are those of the first; {unknown: why} where there are no rows to compare. Its
    interval is a bootstrap of rows, as in the report.
    """
    found = [_scores(build) for build in builds]
    result: dict[str, Any] = {}
    for suite in _names(found):
        suites = [of_build.get(suite, {}) for of_build in found]
        for model in _names(suites):
            models = [of_suite.get(model, {}) for of_suite in suites]
            differences = [_differences(builds[0], build, suite, model) for build in builds[1:]]
            for metric in _names(models):
                cells = [of_model.get(metric) for of_model in models]
                for place, difference in enumerate(differences, 1):
                    if cells[0] and cells[place]:
                        cells[place] = cells[place] | {"from_first": difference.get(metric, difference.get(""))}
                result.setdefault(suite, {}).setdefault(metric, {})[model] = cells
    return result


def _scores(build: Build) -> dict[str, Any]:
    """{suite: {model: {metric: {value, …}}}}; of metrics.json, which git has, where the comparison is not there."""
    if comparison := build.report("stages.compare", "comparison"):
        return comparison
    result: dict[str, Any] = {}
    for model, values in build.report("stages.compare", "metrics").items():
        for name, value in values.items():
            suite, metric = verdicts.suite_of(name, build.suites, build.suite)
            result.setdefault(suite, {}).setdefault(model, {})[metric] = {"value": value}
    return result


def _differences(first: Build, other: Build, suite: str, model: str) -> dict[str, dict[str, Any]]:
    """{metric: the difference of a build}; under "" what holds for metrics that are not there."""
    if first.scored(model, suite) == other.scored(model, suite) != []:
        return {"": {"same": True}}
    answers = [build.answers(model, suite) for build in (first, other)]
    if "compare.seed" not in other.params:
        return {"": {"unknown": "no comparison there"}}
    lacks = [build.name for build, of_build in zip((first, other), answers, strict=True) if of_build is None]
    if lacks:
        return {"": {"unknown": f"no answers of {' and '.join(lacks)} here"}}
    ids = [{answer.id for answer in of_build} for of_build in answers]
    if not ids[0] & ids[1]:
        return {"": {"unknown": "no row in common"}}
    kept = [[answer for answer in of_build if answer.id in ids[0] & ids[1]] for of_build in answers]
    common, declared = kept[0][0].scores.keys() & kept[1][0].scores.keys(), other.declared(model, suite)
    names, unknown = common & declared.keys(), {name: {"unknown": "not declared"} for name in common - declared.keys()}
    unknown[""] = {"unknown": "no metric in common"}
    if not names:
        return unknown
    both = {name: _only(of_build, names) for name, of_build in zip((FIRST, OTHER), kept, strict=True)}
    declared = {name: declared[name] for name in names}
    counts = {"rows": len(kept[0]), "only_first": len(ids[0] - ids[1]), "only_this": len(ids[1] - ids[0])}
    compared = compare.compare(Measured(both, declared), _settings(other, suite))[OTHER]
    return unknown | {
        name: {"by": entry["difference"], "low": entry["difference_low"], "high": entry["difference_high"], **counts}
        for name, entry in compared.items()
        if "difference" in entry
    }


def _only(answers: list[scoring.Answer], names: Iterable[str]) -> list[scoring.Answer]:
    """The answers, sorted by id, with the scores of these metrics."""
    kept = [msgspec.structs.replace(a, scores={name: a.scores[name] for name in sorted(names)}) for a in answers]
    return sorted(kept, key=lambda answer: answer.id)


def _settings(build: Build, suite: str) -> Compare:
    """How a build compares models, for two builds in their place."""
    samples, confidence, seed = (build.params[f"compare.{n}"] for n in ("bootstrap_samples", "confidence", "seed"))
    return Compare(
        suite=suite, baseline=FIRST, bootstrap_samples=samples, confidence=confidence, seed=seed, looks=1, power=0.8,
        min_rows=1, gates={},
    )  # fmt: skip


def training(builds: list[Build]) -> dict[str, list[Any]]:
    """{run: [{steps, rows, loss, eval_loss, same}]}: the last losses, or mean rewards, that were logged."""
    logs = [histories(build) for build in builds]
    result = {}
    for run in _names(logs):
        of_run = [of_build.get(run) for of_build in logs]
        result[run] = [log and {**_run(log), "same": log == of_run[0]} for log in of_run]
    return result


def histories(build: Build) -> dict[str, Any]:
    """{run: its log}, of the base where it was trained, and of each step."""
    base = build.reports("stages.base", "log")
    logs = {"base": base[""]} if base.get("", {}).get("history") else {}
    return logs | build.reports("stages.train", "log")


def _run(log: dict[str, Any]) -> dict[str, Any]:
    last: dict[str, Any] = {}
    for entry in log["history"]:
        last |= {charts.LOSSES[name]: value for name, value in entry.items() if name in charts.LOSSES}
    steps = max((entry["step"] for entry in log["history"]), default=0)
    return {"steps": log.get("steps", steps), "rows": log.get("out"), "loss": last.get("training"),
            "eval_loss": last.get("held-out")}  # fmt: skip


def alternatives(builds: list[Build]) -> dict[str, dict[str, list[Any]]]:
    """{fine-tune: {it, or who could answer in its place: [{value, per_1000, currency, metric, and of others verdict,
    gain, low, high}]}}, as `weigh` says.
    """
    found = [
        {name: {name: _weighed(report, report)} | {o: _weighed(report, e) for o, e in report["against"].items()}
         for name, report in build.reports("stages.weigh", "weighing").items()}
        for build in builds
    ]  # fmt: skip
    return _by_item(found)


def _weighed(report: dict[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
    told = {name: entry[name] for name in ("verdict", "gain", "low", "high") if name in entry}
    return {"metric": report["metric"], "value": entry["value"], "currency": report["currency"],
            "per_1000": entry["per_1000"], **told}  # fmt: skip


def slices(builds: list[Build]) -> dict[str, dict[str, list[Any]]]:
    """{examination: {slice: [its entry]}} by the metric of the examination, as `examine` says."""
    found = [
        {name: {f"{entry['by']} {entry['value']}": entry for entry in report["slices"]
                if entry["metric"] == report["metric"]}
         for name, report in build.reports("stages.examine", "slices").items()}
        for build in builds
    ]  # fmt: skip
    return _by_item(found)


def _by_item(found: list[dict[str, dict[str, Any]]]) -> dict[str, dict[str, list[Any]]]:
    result = {}
    for item in _names(found):
        parts = [of_build.get(item, {}) for of_build in found]
        result[item] = {name: [of_item.get(name) for of_item in parts] for name in _names(parts)}
    return result


def files(builds: list[Build]) -> dict[str, list[Any]]:
    """{quantized file: [{bytes, verdict, same_answers, metric, model, file}]}: the metric of its model and its own."""
    reports = [build.reports("stages.parity", "parity") for build in builds]
    found = []
    for build, of_build in zip(builds, reports, strict=True):
        paths = build.recorded("stages.quantize", "quantized")
        found.append({name: _file(report, build.outs.get(paths.get(name), {})) for name, report in of_build.items()})
    return {name: [of_build.get(name) for of_build in found] for name in _names(found)}


def _file(report: dict[str, Any], out: dict[str, Any]) -> dict[str, Any]:
    metric = main_metric(report["metrics"])
    pair = report["metrics"].get(metric, {})
    return {"bytes": out.get("size"), "verdict": report["verdict"], "same_answers": report["same_answers"],
            "metric": metric, "model": pair.get("model"), "file": pair.get("file")}  # fmt: skip


def rows(builds: list[Build]) -> dict[str, list[Any]]:
    """{stage: [{in, out, dropped: {reason: rows}}]} and {split of the rows: [{out}]} of each build."""
    result = {}
    reports = {stage: [build.report(f"stages.{stage}", "report") for build in builds] for stage in DATA_STAGES}
    for stage, of_stage in reports.items():
        if any(of_stage):
            result[stage] = [{name: r[name] for name in ("in", "out", "dropped")} if r else None for r in of_stage]
    splits = [report.get("splits", {}) for report in reports["split"]]
    for split in _names(splits):
        result[f"{split} rows"] = [{"out": sum(kinds[split].values())} if split in kinds else None for kinds in splits]
    return result


def parameters(builds: list[Build]) -> dict[str, list[Any]]:
    """{dotted name: [{value}]} of the parameters that differ."""
    found = [{name: {"value": value} for name, value in build.params.items()} for build in builds]
    return _differing(found)


def inputs(builds: list[Build]) -> dict[str, list[Any]]:
    """{path: [MD5]} of the data and models from outside that differ."""
    return _differing([build.inputs for build in builds])


def code(builds: list[Build]) -> list[dict[str, Any]]:
    """What is otherwise than in the first build: {stages: stages of both with another key, phrases: what differs}.

    Phrases are those of `modelmake plan`; there are none of a stage whose keys git does not have.
    """
    first, result = builds[0], []
    for build in builds:
        stages = [name for name, md5 in build.keys.items() if first.keys.get(name, md5) != md5]
        keys = [(first.key(name), build.key(name)) for name in stages]
        known = [stage_key.difference(was, now) for was, now in keys if was and now]
        unknown = [name for name, (was, now) in zip(stages, keys, strict=True) if not (was and now)]
        phrases = sorted({phrase for of_stage in known for phrase in of_stage})
        result.append({"stages": stages, "phrases": phrases, "unknown": unknown})
    return result


def models(builds: list[Build]) -> dict[str, list[Any]]:
    """{path: [{md5, bytes}]} of every model, and of every quantized file."""
    found = []
    for build in builds:
        flags = (("base", "base"), ("merge", "merged"), ("combine", "merged"), ("adopt", "merged"),
                 ("quantize", "quantized"))  # fmt: skip
        paths = [path for module, flag in flags for path in build.recorded(f"stages.{module}", flag).values()]
        found.append({p: {"md5": build.outs[p].get("md5", ""), "bytes": build.outs[p].get("size")} for p in paths})
    return {path: [of_build.get(path) for of_build in found] for path in _names(found)}


def _differing(found: list[dict[str, Any]]) -> dict[str, list[Any]]:
    values = {name: [of_build.get(name) for of_build in found] for name in sorted(_names(found))}
    return {name: of_name for name, of_name in values.items() if len({*map(_as_text, of_name)}) > 1}


def _as_text(value: Any) -> str:
    """Unlike `==` it tells 1, 1.0 and true apart."""
    return json.dumps(value, sort_keys=True, default=str)


def _names(found: list[dict[str, Any]]) -> list[str]:
    """Every name of any build, in their order."""
    return list(dict.fromkeys(name for of_build in found for name in of_build))
