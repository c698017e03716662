"""A GGUF file quantized by llama.cpp itself, in its own environment: the k-quants."""

import tempfile
from collections import Counter
from pathlib import Path

from stages.exporting import tool_env
from stages.exporting.gguf import write_gguf
from stages.params.release import LlamaCpp

BLOCK = 256  # numbers that share a k-quant's scales


def quantize(weights: Path, calibration: Path, folder: Path, quant: str, params: LlamaCpp) -> str:
    """Writes `model.gguf`; tells which matrices llama.cpp gave other types, their rows being no multiple of 256."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        source = Path(scratch) / "F16.gguf"
        write_gguf(weights, source, "F16")
        files = {"source": source, "gguf": folder / "model.gguf", "quant": quant}
        tool_env.run(Path(params.environments()[0]), "quantize.py", files, f"quantize.{quant}")
    return fallbacks(folder / "model.gguf")


def fallbacks(file: Path) -> str:
    """`; 14 of 15 matrices are Q5_0 12, Q8_0 2: …`, or nothing where every matrix has its k-quant."""
    from gguf import GGUFReader

    matrices = [tensor for tensor in GGUFReader(file).tensors if len(tensor.shape) > 1]
    odd = Counter(tensor.tensor_type.name for tensor in matrices if tensor.shape[0] % BLOCK)
    if not odd:
        return ""
    types = ", ".join(f"{name} {n}" for name, n in sorted(odd.items()))
    return f"; {odd.total()} of {len(matrices)} matrices are {types}, their rows being no multiple of {BLOCK}"
