"""Takes the training rows that quantizers are calibrated on, so that a change of other rows quantizes nothing anew.

Inputs:  splits       folder of rows: <split>/<kind>.jsonl
Outputs: calibration  folder of JSONL rows, <quant>.jsonl, sorted by id; a blank line for a tool that asks for none
Params:  quantize

All items of `foreach` have the same inputs, so each quantizer gets a file; an empty one never changes.
"""

from pathlib import Path

from modelmake import harness
from modelmake.errors import UserError
from modelmake.signature import In, Out
from stages import rows
from stages.params.release import Llmcompressor, Quant


def sample(found: list[rows.Row], n: int) -> list[rows.Row]:
    """The first n rows by id. Ids are hashes, so this is a sample, and few of it change when rows are added."""
    return sorted(found, key=lambda row: row.id)[:n]


def wanted(splits: Path, quant: str, params: Quant) -> list[rows.Row]:
    """The rows for one quantizer.

    Raises:
        UserError: it wants rows and there are none.
    """
    if not isinstance(params, Llmcompressor):
        return []
    file = splits / "train" / f"{params.rows}.jsonl"
    taken = sample(rows.read(file), params.num_calibration_samples)
    if not taken:
        raise UserError(
            f"{file}: no rows: want some to calibrate {quant} on; name another kind in quantize.{quant}.rows"
        )
    return taken


def main(splits: In, calibration: Out, quantize: dict[str, Quant]) -> str:
    calibration.mkdir()
    counts = []
    for quant, params in quantize.items():
        taken = wanted(splits, quant, params)
        if taken:
            rows.write(calibration / f"{quant}.jsonl", taken)
        else:
            (calibration / f"{quant}.jsonl").write_text("\n")  # of an empty file every dvc command would warn
        counts.append(f"{quant} {len(taken)}")
    return f"rows to calibrate on: {', '.join(counts)}"


if __name__ == "__main__":
    harness.run(main)
