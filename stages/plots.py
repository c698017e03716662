"""Writes the tables that `dvc plots` draws, so that several builds can be compared in one plot.

Inputs:  trained      folder of training logs, and of reports of combinations
         evaluations  folder of <model>-<suite>.jsonl, as `evaluate` wrote them
         parity       folder of <quant>.json, as `parity` wrote them
Outputs: loss         CSV run, step, rows (train or val), loss: every loss that was logged
         confusion    CSV actual, predicted: expected and answered label of each row of the suite that has one
         quality      CSV file, exact_match: of `model`, then of every quantized file
Params:  suites, train, combine, quantize
"""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from modelmake import harness
from modelmake.signature import In, Out
from stages.evaluating import scoring
from stages.params.combination import Combination
from stages.params.evaluation import AnySuite
from stages.params.release import Quant
from stages.params.training import Step, in_order
from stages.reporting import item_files
from stages.reporting.answer_labels import label_pairs


class Inputs(NamedTuple):
    trained: In
    evaluations: In
    parity: In


class Outputs(NamedTuple):
    loss: Out
    confusion: Out
    quality: Out


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
    inputs: Inputs, outputs: Outputs, suite: str, model: str, suites: dict[str, AnySuite], train: dict[str, Step],
    combine: dict[str, Combination], quantize: dict[str, Quant],
) -> str:  # fmt: skip
    item_files.check(inputs.trained, ["base", *train, *combine])
    item_files.check(inputs.parity, quantize)
    points = losses({run: read(inputs.trained / f"{run}.json") for run in ("base", *in_order(train))})
    answers = scoring.read(inputs.evaluations / f"{model}-{suite}.jsonl")
    pairs = label_pairs(answers, suites[suite].label)
    files = {
        quant: read(inputs.parity / f"{quant}.json")["metrics"]["exact_match"]["file"] for quant in sorted(quantize)
    }
    write(outputs.loss, "run step rows loss", points)
    write(outputs.confusion, "actual predicted", pairs)
    write(outputs.quality, "file exact_match", [(model, scoring.totals(answers)["exact_match"]), *files.items()])
    return f"{len(points)} losses, {len(pairs)} labels, {len(files)} quantized files; look with `dvc plots show`"


def read(file: Path) -> Any:
    return msgspec.json.decode(file.read_bytes())


if __name__ == "__main__":
    harness.run(main)
