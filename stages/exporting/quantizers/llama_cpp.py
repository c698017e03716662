"""GGUF files with k-quants, by llama.cpp itself in its own environment."""

import importlib
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from stages.exporting import tool_env
from stages.exporting.gguf_writer import write_gguf
from stages.params.release import LlamaCpp

BLOCK = 256  # weights in a block of a k-quant


def quantize(weights: Path, calibration: Path, folder: Path, quant: str, params: LlamaCpp) -> str:
    """Writes `model.gguf`. The remark counts calibration rows, and matrices that llama.cpp stored in other types."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        source = Path(scratch) / "F16.gguf"
        write_gguf(weights, source, "F16")
        files = {"source": source, "gguf": folder / "model.gguf", "quant": quant}
        remark = ""
        for module in params.modules()[1:]:  # what measures importance, if there are rows for it
            measured = importlib.import_module(module).measure(weights, calibration)
            files["importance"] = Path(scratch) / "importance.npz"
            np.savez(files["importance"], **measured.inputs)
            remark = f"; weighed by {measured.rows} rows" + (f", {measured.cut} of them cut" if measured.cut else "")
        tool_env.run(Path(params.environments()[0]), "quantize.py", files, f"quantize.{quant}")
    return remark + fallbacks(folder / "model.gguf")


def fallbacks(file: Path) -> str:
    """`; 14 of 15 matrices are Q5_0 12, Q8_0 2, …`, or an empty string if every matrix has its k-quant."""
    from gguf import GGUFReader

    matrices = [tensor for tensor in GGUFReader(file).tensors if len(tensor.shape) > 1]
    other_types = Counter(tensor.tensor_type.name for tensor in matrices if tensor.shape[0] % BLOCK)
    if not other_types:
        return ""
    types = ", ".join(f"{name} {n}" for name, n in sorted(other_types.items()))
    return f"; {other_types.total()} of {len(matrices)} matrices are {types}, their rows being no multiple of {BLOCK}"
