"""A GGUF file through the gguf package: NumPy only, no compiler."""

from pathlib import Path

from stages.exporting.gguf import QUANTS, write_gguf
from stages.params.release import Gguf

WHOLE = QUANTS[:3]  # the unquantized types: nothing falls back


def quantize(weights: Path, calibration: Path, folder: Path, quant: str, params: Gguf) -> str:
    """Writes `model.gguf`; tells which matrices did not fit the type's blocks."""
    report = write_gguf(weights, folder / "model.gguf", quant)
    fell_back = 0 if quant in WHOLE else report["tensors"].get("F16", 0)
    return f"; {fell_back} matrices are F16, their rows being no multiple of the block" if fell_back else ""
