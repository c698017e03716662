"""The environment of the libraries, the same on every machine; set before they are imported."""

import ctypes
import logging
import os
import sys
import warnings


def prepare(threads: int) -> None:
    """No network unless asked, so many threads, no bars in a log."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
    bars = "0" if sys.stderr.isatty() else "1"
    os.environ.update(
        HF_HUB_DISABLE_PROGRESS_BARS=bars,
        HF_DATASETS_DISABLE_PROGRESS_BARS=bars,
        HF_HUB_DISABLE_TELEMETRY="1",
        TRANSFORMERS_VERBOSITY="error",
        TOKENIZERS_PARALLELISM="false",
        OMP_NUM_THREADS=str(threads),
        MKL_NUM_THREADS=str(threads),
        OPENBLAS_NUM_THREADS=str(threads),
        OMP_WAIT_POLICY="passive",
        CUBLAS_WORKSPACE_CONFIG=":4096:8",  # deterministic cuBLAS, see torch's notes on reproducibility
    )
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # it recommends a package that runs code of the hub
    warnings.simplefilter("ignore", FutureWarning)  # what libraries will rename is not the user's to mend
    _keep_memory()


def _keep_memory() -> None:
    """Tells glibc to keep freed memory: tensors come and go each step, and returning their pages to the
    kernel took more than half of the training time (292 s -> 129 s)."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc only
    if mallopt is not None:
        # trim threshold, top pad, mmap threshold, arenas
        for option, value in ((-1, 2**31 - 1), (-2, 64 << 20), (-3, 1 << 30), (-8, 1)):
            mallopt(option, value)
