"""Samples the training rows that a quantizer calibrates on, so that a change of other rows reruns no quantization.

Inputs:  train  folder of training rows, <kind>.jsonl
Outputs: rows   JSONL rows sorted by id; one blank line for a tool that needs none
Params:  quantize.<quant>.calibration
"""

from pathlib import Path

from modelmake import harness
from modelmake.errors import UserError
from modelmake.signature import In, Out
from stages.params.release import Calibration
from stages.rows import jsonl
from stages.rows.row import Row


def sample(rows: list[Row], n: int) -> list[Row]:
    """The first n rows by id. Ids are hashes, so this is a random sample that changes little when rows are added."""
    return sorted(rows, key=lambda row: row.id)[:n]


def read_sample(file: Path, quant: str, n: int) -> list[Row]:
    """A sample of the file's rows.

    Raises:
        UserError: the file has no rows.
    """
    sampled = sample(jsonl.read(file), n)
    if not sampled:
        raise UserError(
            f"{file}: no rows: want some to calibrate on; name another kind in quantize.{quant}.calibration.rows"
        )
    return sampled


def main(train: In, rows: Out, quant: str, calibration: Calibration | None) -> str:
    if calibration is None:
        rows.write_text("\n")  # DVC warns of empty files at every command
        return f"{quant}: no rows to calibrate on"
    sampled = read_sample(train / f"{calibration.rows}.jsonl", quant, calibration.num_calibration_samples)
    jsonl.write(rows, sampled)
    return f"{quant}: {len(sampled)} rows to calibrate on"


if __name__ == "__main__":
    harness.run(main)
