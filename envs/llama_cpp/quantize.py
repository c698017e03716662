"""Quantizes a GGUF file with llama.cpp itself, for the types that gguf's NumPy code lacks (Q4_K_M, Q6_K, …).

    python envs/llama_cpp/quantize.py --source model-F16.gguf --gguf model-Q4_K_M.gguf --quant Q4_K_M \
        --importance importance.npz

Inputs: --source, a GGUF file in F32, F16 or BF16; --importance, where errors of weights are not to weigh the same: an
NPZ file {name of a matrix: (weights in a row,) float32}. Outputs: --gguf. --quant is one of llama.cpp's file types.
Matrices whose rows are no multiple of 256 fall back to other types. It runs on one thread, so that the same source
gives the same bytes.
"""

import argparse
import ctypes
import sys
from pathlib import Path

PREFIX = "LLAMA_FTYPE_MOSTLY_"


def quantize(source: Path, gguf: Path, quant: str, importance: Path | None) -> None:
    """Writes `source` as `gguf` in llama.cpp's file type `quant`.

    Raises:
        ValueError: `quant` is unknown, or there is no such source file.
        RuntimeError: llama.cpp failed.
    """
    import llama_cpp

    quants = {name.removeprefix(PREFIX): name for name in dir(llama_cpp) if name.startswith(PREFIX)}
    if quant not in quants:
        raise ValueError(f"--quant {quant}: want one of {', '.join(sorted(quants))}")
    if not source.is_file():
        raise ValueError(f"--source {source}: no such file: want a GGUF file in F32, F16 or BF16")
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = getattr(llama_cpp, quants[quant])
    params.nthread = 1
    if importance:
        entries = read(importance, llama_cpp.llama_model_imatrix_data)  # has to live while llama.cpp reads it
        params.imatrix = ctypes.cast(entries, type(params.imatrix))
    code = llama_cpp.llama_model_quantize(str(source).encode(), str(gguf).encode(), params)
    if code != 0:
        raise RuntimeError(f"{source}: llama_model_quantize returned {code}: want 0; its log above says why")


def read(importance: Path, kind: type[ctypes.Structure]) -> ctypes.Array:
    """The file as llama.cpp takes it: an array of `kind`, the last without a name. It keeps what it points to."""
    import numpy as np

    with np.load(importance, allow_pickle=False) as arrays:
        found = {name: np.ascontiguousarray(arrays[name], np.float32) for name in arrays.files}
    entries = (kind * (len(found) + 1))()
    for entry, (name, values) in zip(entries, found.items(), strict=False):
        entry.name, entry.size = name.encode(), values.size
        entry.data = values.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
    entries.values = found
    return entries


def main() -> None:
    parser = argparse.ArgumentParser(description="Quantize a GGUF file with llama.cpp.")
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--gguf", type=Path, required=True)
    parser.add_argument("--quant", required=True)
    parser.add_argument("--importance", type=Path)
    args = parser.parse_args()
    try:
        quantize(args.source, args.gguf, args.quant, args.importance)
    except (ValueError, RuntimeError) as error:
        sys.exit(str(error))
    print(f"{args.gguf}: {args.quant}, {args.gguf.stat().st_size:,} bytes of {args.source.stat().st_size:,}")


if __name__ == "__main__":
    main()
