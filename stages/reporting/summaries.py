"""One-line summaries of stages, in numbers: what each read and wrote."""

from collections.abc import Callable
from typing import Any, NamedTuple

from modelmake.keys import key_file
from stages.reporting.build import Build, main_metric, weight_bytes
from stages.reporting.formatting import count, losses, size


class Summary(NamedTuple):
    """Three short phrases; any may be empty."""

    read: str
    wrote: str
    note: str = ""


def _dropped(report: dict[str, Any]) -> str:
    dropped = sum(report["dropped"].values())
    return f"{dropped:,} dropped" if dropped else "none dropped"


def _steps(history: list[dict[str, Any]]) -> str:
    return count(max((entry["step"] for entry in history), default=0), "steps")


def _weights(build: Build, stage: str, side: str) -> str:
    """The sizes of the weights among a stage's deps or outs: `2.23 MB + 659 kB`."""
    return " + ".join(size(weight_bytes(build.artifacts[path])) for path in build.measured(stage, side))


def _data(build: Build, stage: str, _: str) -> Summary:
    report = build.data[stage]
    note = _dropped(report)
    if changed := sum(report.get("changed", {}).values()):
        note += f", {changed:,} repairs and redactions"
    read = count(report["in"], "rows")
    if files := report.get("formats"):
        read += f" in {count(len(files), 'files')}"
    wrote = count(report["out"], "rows")
    if splits := report.get("splits"):
        wrote = ", ".join(f"{sum(kinds.values()):,} {name}" for name, kinds in splits.items())
    return Summary(read, wrote, note)


def _mix(build: Build, *_: str) -> Summary:
    report = build.data["mix"]
    mixed = sum(kind["rows"] for kind in report["kinds"].values())
    note = _dropped(report) + (f", {report['repeats']:,} shown again" if report["repeats"] else "")
    return Summary(count(report["in"], "rows"), f"{count(mixed, 'rows')} to train on", note)


def _base(build: Build, *_: str) -> Summary:
    log = build.logs["base"]
    parameters = count(log["parameters"], "parameters")
    if not log["history"]:
        return Summary(f"a model ({log['kind']})", parameters)
    return Summary("rows to pretrain on", parameters, f"{_steps(log['history'])}, {losses(log['history'])}")


def _train(build: Build, stage: str, step: str) -> Summary:
    log = build.logs[step]
    note = f"{count(log['steps'], 'steps')}, {losses(log['history'])}"
    rows = build.step_rows[step]
    if rows.lost:
        note += f"; {rows.lost:,} dropped"
    if rows.cut:
        note += f"; {rows.cut:,} cut"
    of = f" of {rows.given:,}" if rows.consumed != rows.given else ""
    return Summary(f"{rows.consumed:,}{of} {rows.kind} rows", _weights(build, stage, "outs"), note)


def _weights_to_weights(build: Build, stage: str, _: str) -> Summary:
    return Summary(_weights(build, stage, "deps"), _weights(build, stage, "outs"))


def _combine(build: Build, stage: str, name: str) -> Summary:
    sizes = _weights_to_weights(build, stage, name)
    return sizes._replace(note=f"off the exact sum by {build.distances[name]['relative_error']:.2g} of it")


def _answer(build: Build, _: str, item: str) -> Summary:
    return Summary(count(build.question_counts[item.partition("-")[2]], "questions"), "answers")


def _evaluate(build: Build, _: str, item: str) -> Summary:
    model, _, suite = item.partition("-")
    metrics = build.comparison[suite][model]
    metric = main_metric(metrics)
    wrote = f"{metric} {metrics[metric]['value']:.3f}" if metric else ""
    return Summary(count(build.question_counts[suite], "questions"), wrote)


def _answer_quantized(build: Build, _: str, quant: str) -> Summary:
    return Summary(count(build.parity[quant]["rows"], "questions"), "answers")


def _compare(build: Build, *_: str) -> Summary:
    gates = build.gate["gates"].values()
    allowed = sum(gate["verdict"] == "ALLOW" for gate in gates)
    models = max((len(models) for models in build.comparison.values()), default=0)
    return Summary(f"answers of {count(models, 'models')}", f"{allowed} of {len(gates)} gates ALLOW")


def _parity(build: Build, _: str, quant: str) -> Summary:
    report = build.parity[quant]
    metric = main_metric(report["metrics"])
    note = "{} {model:.3f} → {file:.3f}".format(metric, **report["metrics"][metric]) if metric else ""
    same = round(report["rows"] * report["same_answers"])
    return Summary(count(report["rows"], "questions"), f"{same:,} answered as the model does", note)


BY_MODULE: dict[str, Callable[[Build, str, str], Summary]] = {  # arguments: build, stage, item
    "preflight": lambda build, *_: Summary("parameters, code, locks", count(len(build.graph) - 1, "keys")),
    **dict.fromkeys(("ingest", "clean", "dedup", "split", "augment"), _data),
    "mix": _mix,
    "datasheet": lambda *_: Summary("rows, reports, marks", "the datasheet, a sample to mark"),
    "base": _base,
    "train": _train,
    "merge": _weights_to_weights,
    "combine": _combine,
    "adopt": _weights_to_weights,
    "answer": _answer,
    "evaluate": _evaluate,
    "lm_eval": _evaluate,
    "compare": _compare,
    "quantize": _weights_to_weights,
    "answer_quantized": _answer_quantized,
    "parity": _parity,
    "card": lambda *_: Summary("scores, logs, counts", "the model card"),
    "report": lambda *_: Summary("all of the above", "this page"),
}


def summarize(build: Build, stage: str) -> Summary:
    """The summary of a stage; for a stage that has none here, its numbers of inputs and outputs.

    A stage that runs the module of another under a name of its own has none here.
    """
    node = build.graph[stage]
    module = node["module"].rpartition(".")[2]
    if module in BY_MODULE and module == stage.partition("@")[0]:
        return BY_MODULE[module](build, stage, stage.partition("@")[2])
    inputs = [dep for dep in node["deps"] if not dep.startswith(f"{key_file.FOLDER}/")]
    return Summary(count(len(inputs), "inputs"), count(len(node["outs"]), "outputs"))
