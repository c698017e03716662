"""Writes the tables that `dvc plots` draws, so that runs can be laid over each other.

Inputs:  trained      folder of training logs
         evaluations  folder of <model>-<suite>.jsonl, as `evaluate` wrote them
         parity       folder of <quant>.json
Outputs: loss         CSV run, step, rows (train or val), loss: every loss that was logged
         confusion    CSV actual, predicted: a line a row of the suite that has a label, as `model` answers it
         quality      CSV file, exact_match: `model`, then every quantized file
Params:  suites, train, quantize
"""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from modelmake import harness
from modelmake.signature import In, Out
from stages.evaluating import scoring
from stages.evaluating.json_answer import fields
from stages.params.evaluation import AnySuite
from stages.params.release import Quant
from stages.params.training import Step
from stages.reporting import item_files

NO_LABEL = "(no label)"


def losses(logs: dict[str, dict[str, Any]]) -> list[tuple[str, int, str, float]]:
    """Every logged loss of every run, as (run, step, rows, loss)."""
    names = {"loss": "train", "eval_loss": "val"}
    return [
        (run, entry["step"], rows, entry[name])
        for run, log in logs.items()
        for name, rows in names.items()
        for entry in log["history"]
        if name in entry
    ]


def labels(answers: list[scoring.Answer], label: str | None) -> list[tuple[str, str]]:
    """(expected label, answered label) of every row whose expected answer has one."""
    pairs = [(fields(a.expected).get(label), fields(a.answer).get(label)) for a in answers]
    return [(str(a), NO_LABEL if p is None else str(p)) for a, p in pairs if a is not None]


def write(path: Path, columns: str, rows: Iterable[tuple]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([columns.split(), *rows])


def main(
    trained: In, evaluations: In, parity: In, loss: Out, confusion: Out, quality: Out,
    suite: str, model: str, suites: dict[str, AnySuite], train: dict[str, Step], quantize: dict[str, Quant],
) -> str:  # fmt: skip
    item_files.check(trained, ["base", *train])
    item_files.check(parity, quantize)
    points = losses({run: read(trained / f"{run}.json") for run in ("base", *train)})
    answers = scoring.read(evaluations / f"{model}-{suite}.jsonl")
    pairs = labels(answers, suites[suite].label)
    files = {quant: read(parity / f"{quant}.json")["metrics"]["exact_match"]["file"] for quant in sorted(quantize)}
    write(loss, "run step rows loss", points)
    write(confusion, "actual predicted", pairs)
    write(quality, "file exact_match", [(model, scoring.totals(answers)["exact_match"]), *files.items()])
    return f"{len(points)} losses, {len(pairs)} labels, {len(files)} quantized files; look with `dvc plots show`"


def read(file: Path) -> Any:
    return msgspec.json.decode(file.read_bytes())


if __name__ == "__main__":
    harness.run(main)
