"""Threads and memory of numeric libraries; set before they are imported."""

import ctypes
import os


def limit(threads: int) -> None:
    """Sets the thread pools to `threads`, makes cuBLAS deterministic, and keeps freed memory in the process."""
    os.environ.update(
        OMP_NUM_THREADS=str(threads),
        MKL_NUM_THREADS=str(threads),
        OPENBLAS_NUM_THREADS=str(threads),
        OMP_WAIT_POLICY="passive",
        CUBLAS_WORKSPACE_CONFIG=":4096:8",  # deterministic, see PyTorch's notes on reproducibility
    )
    _keep_memory()


def _keep_memory() -> None:
    """Tells glibc to keep freed memory.

    Tensors come and go each step; returning their pages to the kernel took more than half of the training time
    (292 s -> 129 s).
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc only
    if mallopt is not None:
        # trim threshold, top pad, mmap threshold, arenas
        for option, value in ((-1, 2**31 - 1), (-2, 64 << 20), (-3, 1 << 30), (-8, 1)):
            mallopt(option, value)
