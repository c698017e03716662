"""What a judge gave to the answers of one model to one suite, beside the files of `evaluate`: <model>-<suite>.judge.*,
a line for each row, and what its scores mean.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from modelmake.errors import UserError
from stages.evaluating.judging.corrected import NAME as CORRECTED
from stages.evaluating.metrics import Metric, Statistics
from stages.evaluating.scoring import Answer
from stages.params.judging import Judge

ALONE = "judged"  # metrics are judged.<rubric> and judged_corrected.<rubric>
MARK = ".judge."  # in names of files
SOURCES = {
    ALONE: "Zheng et al. 2023, LLM-as-a-Judge, arXiv:2306.05685; its interval knows nothing of the judge's errors",
    CORRECTED: "Angelopoulos et al. 2023, Prediction-Powered Inference, arXiv:2301.09633: corrected by people's marks",
}


class JudgedRow(msgspec.Struct, frozen=True):
    id: str
    marks: dict[str, list[str]]  # {rubric: marks, in the order of the requests}; of a row without marks no rubric
    scores: dict[str, Statistics]


def declared(judge: Judge) -> dict[str, Metric]:
    """{metric: what it means} of a judge's scores."""
    return {
        f"{name}.{rubric}": Metric("higher", 0, 1, source)
        for name, source in SOURCES.items()
        for rubric in judge.rubrics
    }


def write(path: Path, rows: Sequence[JudgedRow]) -> None:
    path.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))


def read(path: Path) -> list[JudgedRow]:
    return [msgspec.json.decode(line, type=JudgedRow) for line in path.read_bytes().splitlines()]


def check_files(folder: Path, judged: Sequence[str]) -> None:
    """Checks that a folder has judged scores of these items (<model>-<suite>) alone.

    Raises:
        UserError: it has others.
    """
    strays = sorted(p.name for p in folder.iterdir() if MARK in p.name and p.name.partition(".")[0] not in judged)
    if strays:
        raise UserError(
            f"{folder}: {', '.join(strays)}: judged, but nobody judges these in params.yaml any more: "
            f"`rm {' '.join(f'{folder}/{name}' for name in strays)}`"
        )


def join(folder: Path, item: str, answers: list[Answer]) -> list[Answer]:
    """The answers of an item with its judged scores.

    Raises:
        UserError: other rows were judged.
    """
    path = folder / f"{item}{MARK}jsonl"
    rows = read(path)
    if [row.id for row in rows] != [answer.id for answer in answers]:
        raise UserError(f"{path}: ids differ from those of {item}.jsonl: want the same rows; run `dvc repro`")
    return [
        msgspec.structs.replace(answer, scores=answer.scores | row.scores)
        for answer, row in zip(answers, rows, strict=True)
    ]
