"""Writes the tables that `dvc plots` draws, so that several builds can be compared in one plot.

Inputs:  trained      folder of training logs
         evaluations  folder of <model>-<suite>.jsonl, as `evaluate` wrote them
         parity       folder of <quant>.json
Outputs: loss         CSV run, step, rows (train or val), loss: every loss that was logged
         confusion    CSV actual, predicted: expected and answered label of each row of the suite that has one
         quality      CSV file, exact_match: of `model`, then of every quantized file
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
from stages.params.evaluation import AnySuite
from stages.params.release import Quant
from stages.params.training import Step
from stages.reporting import item_files
from stages.reporting.answer_labels import label_pairs


def losses(logs: dict[str, dict[str, Any]]) -> list[tuple[str, int, str, float]]:
    """(run, step, rows, loss) of every logged loss."""
    splits = {"loss": "train", "eval_loss": "val"}
    return [
        (run, entry["step"], split, entry[name])
        for run, log in logs.items()
        for name, split in splits.items()
        for entry in log["history"]
        if name in entry
    ]


def write(path: Path, columns: str, rows: Iterable[tuple]) -> None:
    """Writes CSV; columns are separated by spaces."""
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
    pairs = label_pairs(answers, suites[suite].label)
    files = {quant: read(parity / f"{quant}.json")["metrics"]["exact_match"]["file"] for quant in sorted(quantize)}
    write(loss, "run step rows loss", points)
    write(confusion, "actual predicted", pairs)
    write(quality, "file exact_match", [(model, scoring.totals(answers)["exact_match"]), *files.items()])
    return f"{len(points)} losses, {len(pairs)} labels, {len(files)} quantized files; look with `dvc plots show`"


def read(file: Path) -> Any:
    return msgspec.json.decode(file.read_bytes())


if __name__ == "__main__":
    harness.run(main)
