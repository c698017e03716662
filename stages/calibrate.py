"""Takes the training rows that a quantizer is calibrated on, so that a change of other rows quantizes nothing anew.

Inputs:  train  folder of training rows, <kind>.jsonl
Outputs: rows   JSONL rows sorted by id; a blank line for a tool that asks for none
Params:  quantize.<quant>.calibration
"""

from pathlib import Path

from modelmake import harness
from modelmake.errors import UserError
from modelmake.signature import In, Out
from stages.params.release import Calibration
from stages.rows import jsonl
from stages.rows.row import Row


def sample(found: list[Row], n: int) -> list[Row]:
    """The first n rows by id. Ids are hashes, so this is a sample, and few of it change when rows are added."""
    return sorted(found, key=lambda row: row.id)[:n]


def wanted(file: Path, quant: str, n: int) -> list[Row]:
    """The rows for one quantizer.

    Raises:
        UserError: there are none.
    """
    taken = sample(jsonl.read(file), n)
    if not taken:
        raise UserError(
            f"{file}: no rows: want some to calibrate on; name another kind in quantize.{quant}.calibration.rows"
        )
    return taken


def main(train: In, rows: Out, quant: str, calibration: Calibration | None) -> str:
    if calibration is None:
        rows.write_text("\n")  # of an empty file every dvc command would warn
        return f"{quant}: no rows to calibrate on"
    taken = wanted(train / f"{calibration.rows}.jsonl", quant, calibration.num_calibration_samples)
    jsonl.write(rows, taken)
    return f"{quant}: {len(taken)} rows to calibrate on"


if __name__ == "__main__":
    harness.run(main)
