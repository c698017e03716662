"""The finished build that the page shows: graph, reports, logs, answers, and hashes of artifacts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modelmake.artifacts import Artifact
from stages.evaluating.scoring import Answer
from stages.reporting.step_rows import StepRows


@dataclass(frozen=True)
class Build:
    graph: dict[str, dict[str, Any]]  # as in keys/graph.json
    data: dict[str, dict[str, Any]]  # data stage -> its report
    logs: dict[str, dict[str, Any]]  # base or training step -> its log
    step_rows: dict[str, StepRows]  # training step -> the rows that it was given, dropped and was trained on
    distances: dict[str, dict[str, Any]]  # combination -> its report: how far it is from the exact sum
    comparison: dict[str, Any]  # suite -> model -> metric -> value with intervals
    scores: dict[str, dict[str, dict[str, Any]]]  # suite -> model -> what `evaluate` says of its answers
    gate: dict[str, Any]
    weighed: dict[str, dict[str, Any]]  # fine-tune -> what could be had without it, as `weigh` says
    examined: dict[str, dict[str, Any]]  # examination -> slices, as `examine` says
    regressions: dict[str, list[dict[str, Any]]]  # examination -> rows that lost most, beside training rows
    parity: dict[str, dict[str, Any]]  # quantized file -> its parity report
    answers: dict[str, list[Answer]]  # model -> its answers to the suite of `compare`
    file_answers: dict[str, list[Answer]]  # quantized file -> its answers to the same questions
    artifacts: dict[str, Artifact]  # path -> hashes, of raw data and of outputs that the report depends on

    @property
    def question_counts(self) -> dict[str, int]:
        """{suite: questions}."""
        return {suite: next(iter(models.values()))["rows"] for suite, models in self.scores.items()}

    def measured(self, stage: str, side: str) -> list[str]:
        """Paths among a stage's deps or outs whose artifacts were measured."""
        return [path for path in self.graph[stage][side] if path in self.artifacts]

    def weight_bytes(self, stage: str, side: str) -> int:
        """Bytes of model weights among a stage's deps or outs."""
        return sum(weight_bytes(self.artifacts[path]) for path in self.measured(stage, side))


def weight_bytes(artifact: Artifact) -> int:
    """Bytes of the weights in a model folder or file."""
    return sum(f.size for name, f in artifact.files.items() if name.endswith((".safetensors", ".gguf")))


def parts(
    graph: dict[str, dict[str, Any]], measured: Mapping[str, Artifact], raw: str, folders: Sequence[str]
) -> dict[str, Artifact]:
    """{path: artifact} of the raw data, and of every out of the graph that is one of the folders or inside one.

    `measured` is {path: artifact} of the raw data and the folders.
    """
    found = {raw: measured[raw]}
    for out in (out for node in graph.values() for out in node["outs"]):
        for folder in folders:
            if out == folder:
                found[out] = measured[folder]
            elif out.startswith(f"{folder}/"):
                found[out] = measured[folder].part(out.removeprefix(f"{folder}/"))
    return dict(sorted(found.items()))


def main_metric(metrics: dict[str, Any]) -> str:
    """The metric that stands for a suite: exact_match, or else the first; "" if there is none."""
    return "exact_match" if "exact_match" in metrics else next(iter(metrics), "")
