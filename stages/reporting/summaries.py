"""What each stage of the graph took and gave, in numbers, for the page about the build."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from modelmake.artifacts import Artifact
from modelmake.keys import key_file


class Summary(NamedTuple):
    """Three short phrases; any may be empty."""

    took: str
    gave: str
    note: str = ""


@dataclass(frozen=True)
class Build:
    """What the stages before wrote down, by name."""

    graph: dict[str, dict[str, Any]]
    data: dict[str, dict[str, Any]]  # data stage -> its report
    logs: dict[str, dict[str, Any]]  # run -> training log
    rows: dict[str, str]  # step -> the kind of rows it trains on
    comparison: dict[str, Any]  # suite -> model -> metric
    asked: dict[str, int]  # suite -> questions
    gate: dict[str, Any]
    parity: dict[str, dict[str, Any]]  # quantized file -> parity
    artifacts: dict[str, Artifact]  # path -> what is there; of those that the report depends on


def count(n: float, unit: str = "") -> str:
    """`5,300 rows`, `1 row`."""
    return f"{n:,} {unit.removesuffix('s') if n == 1 else unit}".strip()


def size(n: int) -> str:
    """Bytes in the largest decimal unit that they reach, three digits."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n >= factor:
            return f"{n / factor:.3g} {unit}"
    return f"{n} B"


def headline(metrics: dict[str, Any]) -> str:
    """The metric that stands for a suite: exact_match where there is one."""
    return "exact_match" if "exact_match" in metrics else next(iter(metrics), "")


def losses(history: list[dict[str, Any]]) -> str:
    """`loss 6.55 → 0.71; 0.82 on held-out rows`."""
    found = {key: [entry[key] for entry in history if key in entry] for key in ("loss", "eval_loss")}
    parts = []
    if found["loss"]:
        parts.append(f"loss {loss(found['loss'][0])} → {loss(found['loss'][-1])}")
    if found["eval_loss"]:
        parts.append(f"{loss(found['eval_loss'][-1])} on held-out rows")
    return "; ".join(parts)


def loss(value: float | None) -> str:
    """Three digits; `null` in a log was no number."""
    return "not a number" if value is None else f"{value:.3g}"


def reasons(counts: dict[str, Any]) -> str:
    dropped = sum(counts["dropped"].values())
    return f"{dropped:,} dropped" if dropped else "none dropped"


def steps(history: list[dict[str, Any]]) -> str:
    return count(max((entry["step"] for entry in history), default=0), "steps")


def _data(build: Build, stage: str, _: str) -> Summary:
    counts = build.data[stage]
    note = reasons(counts)
    if changed := sum(counts.get("changed", {}).values()):
        note += f", {changed:,} repairs and redactions"
    taken = count(counts["in"], "rows")
    if files := counts.get("formats"):
        taken += f" in {count(len(files), 'files')}"
    given = count(counts["out"], "rows")
    if splits := counts.get("splits"):
        given = ", ".join(f"{sum(kinds.values()):,} {name}" for name, kinds in splits.items())
    return Summary(taken, given, note)


def _mix(build: Build, *_: str) -> Summary:
    counts = build.data["mix"]
    mixed = sum(kind["rows"] for kind in counts["kinds"].values())
    note = reasons(counts) + (f", {counts['repeats']:,} shown again" if counts["repeats"] else "")
    return Summary(count(counts["in"], "rows"), f"{count(mixed, 'rows')} to train on", note)


def _base(build: Build, stage: str, _: str) -> Summary:
    log = build.logs["base"]
    if not log["history"]:
        return Summary(f"a model ({log['kind']})", count(log["parameters"], "parameters"))
    made = f"{steps(log['history'])}, {losses(log['history'])}"
    return Summary("rows to pretrain on", count(log["parameters"], "parameters"), made)


def _train(build: Build, stage: str, step: str) -> Summary:
    log = build.logs[step]
    note = f"{count(log['steps'], 'steps')}, {losses(log['history'])}"
    if log["dropped"]:
        note += f"; {reasons(log)}"
    return Summary(f"{log['out']:,} {build.rows[step]} rows", weights(build, stage, "outs"), note)


def _merge(build: Build, stage: str, _: str) -> Summary:
    return Summary(weights(build, stage, "deps"), weights(build, stage, "outs"))


def _evaluate(build: Build, stage: str, item: str) -> Summary:
    model, _, suite = item.partition("-")
    metrics = build.comparison[suite][model]
    metric = headline(metrics)
    return Summary(count(build.asked[suite], "questions"), f"{metric} {metrics[metric]['value']:.3f}" if metric else "")


def _compare(build: Build, *_: str) -> Summary:
    gates = build.gate["gates"].values()
    passed = sum(gate["verdict"] == "pass" for gate in gates)
    models = max((len(models) for models in build.comparison.values()), default=0)
    return Summary(f"answers of {count(models, 'models')}", f"{passed} of {len(gates)} gates pass")


def _quantize(build: Build, stage: str, _: str) -> Summary:
    return Summary(weights(build, stage, "deps"), weights(build, stage, "outs"))


def _parity(build: Build, stage: str, quant: str) -> Summary:
    found = build.parity[quant]
    metric = headline(found["metrics"])
    note = "{} {model:.3f} → {file:.3f}".format(metric, **found["metrics"][metric]) if metric else ""
    same = round(found["rows"] * found["same_answers"])
    return Summary(count(found["rows"], "questions"), f"{same:,} answered as the model does", note)


def weight(artifact: Artifact) -> int:
    """Bytes of the weights in a model folder or file."""
    return sum(f.size for name, f in artifact.files.items() if name.endswith((".safetensors", ".gguf")))


def measured(build: Build, stage: str, side: str) -> list[str]:
    """Those of a stage's deps or outs that were measured."""
    return [path for path in build.graph[stage][side] if path in build.artifacts]


def weights(build: Build, stage: str, side: str) -> str:
    """The weights among a stage's deps or outs: `2.23 MB + 659 kB`."""
    return " + ".join(size(weight(build.artifacts[path])) for path in measured(build, stage, side))


def taken_and_given(build: Build, stage: str) -> tuple[int, int]:
    """Bytes of weights that a stage read, and wrote."""
    taken, given = (sum(weight(build.artifacts[p]) for p in measured(build, stage, side)) for side in ("deps", "outs"))
    return taken, given


TOLD: dict[str, Callable[[Build, str, str], Summary]] = {
    "preflight": lambda build, *_: Summary("parameters, code, locks", count(len(build.graph) - 1, "keys")),
    **dict.fromkeys(("ingest", "clean", "dedup", "split", "augment"), _data),
    "mix": _mix,
    "datasheet": lambda *_: Summary("rows, reports, marks", "the datasheet, a sample to mark"),
    "base": _base,
    "train": _train,
    "merge": _merge,
    "evaluate": _evaluate,
    "compare": _compare,
    "quantize": _quantize,
    "parity": _parity,
    "card": lambda *_: Summary("scores, logs, counts", "the model card"),
    "report": lambda *_: Summary("all of the above", "this page"),
}


def tell(build: Build, stage: str) -> Summary:
    """What a stage took and gave; of a stage that is not known here, how many inputs and outputs."""
    module = build.graph[stage]["module"].rpartition(".")[2]
    if module in TOLD:
        return TOLD[module](build, stage, stage.partition("@")[2])
    node = build.graph[stage]
    taken = [dep for dep in node["deps"] if not dep.startswith(f"{key_file.FOLDER}/")]
    return Summary(count(len(taken), "inputs"), count(len(node["outs"]), "outputs"))
