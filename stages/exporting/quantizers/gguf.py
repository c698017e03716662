"""GGUF files by the gguf package: NumPy only, no compiler."""

from pathlib import Path

from stages.exporting.gguf_writer import QUANTS, write_gguf
from stages.params.release import Gguf

FLOATS = QUANTS[:3]  # any row fits these, so that no matrix falls back to F16


def quantize(weights: Path, calibration: Path, folder: Path, quant: str, params: Gguf) -> str:
    """Writes `model.gguf`. The remark counts the matrices that fell back to F16."""
    report = write_gguf(weights, folder / "model.gguf", quant)
    fell_back = 0 if quant in FLOATS else report["tensors"].get("F16", 0)
    return f"; {fell_back} matrices are F16, their rows being no multiple of the block" if fell_back else ""
