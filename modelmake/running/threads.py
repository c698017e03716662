"""Threads and memory of numeric libraries, set before they are imported; of OpenBLAS afterwards too."""

import ctypes
import os
import re
from pathlib import Path

# Options of glibc's mallopt(3) and their values.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -2, -3, -8
KEEP_FREED_MEMORY = {M_TRIM_THRESHOLD: 2**31 - 1, M_TOP_PAD: 64 << 20, M_MMAP_THRESHOLD: 1 << 30, M_ARENA_MAX: 1}

# Functions of OpenBLAS, as NumPy, SciPy and others build it, that set its threads.
SET_THREADS = [f"{prefix}openblas_set_num_threads{suffix}" for prefix in ("", "scipy_") for suffix in ("", "64_")]


def limit(threads: int) -> None:
    """Sets thread pools to `threads`, makes cuBLAS deterministic, and keeps freed memory in the process."""
    os.environ.update(
        OMP_NUM_THREADS=str(threads),
        MKL_NUM_THREADS=str(threads),
        OPENBLAS_NUM_THREADS=str(threads),
        OMP_WAIT_POLICY="passive",
        CUBLAS_WORKSPACE_CONFIG=":4096:8",  # deterministic, see PyTorch's notes on reproducibility
    )
    for library in _loaded_openblas():
        for name in SET_THREADS:
            if (function := getattr(library, name, None)) is not None:
                function(threads)
    _keep_freed_memory()


def _loaded_openblas() -> list[ctypes.CDLL]:
    """OpenBLAS in this process, which read the environment when NumPy was imported; on Linux."""
    try:
        maps = Path("/proc/self/maps").read_text("utf-8")
    except OSError:
        return []
    return [ctypes.CDLL(path) for path in sorted(set(re.findall(r"(/\S*openblas\S*\.so\S*)", maps)))]


def _keep_freed_memory() -> None:
    """Tells glibc to keep freed memory.

    Each training step allocates and frees tensors; returning their pages to the kernel took more than half of the
    training time (292 s -> 129 s).
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc only
    if mallopt is not None:
        for option, value in KEEP_FREED_MEMORY.items():
            mallopt(option, value)
