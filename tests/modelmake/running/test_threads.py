"""Numeric libraries get the declared number of threads, whatever the environment said before."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from modelmake.running import threads


def test_thread_pools_and_cublas_follow_params(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.setenv(name, "64")
    for name in ("OMP_WAIT_POLICY", "CUBLAS_WORKSPACE_CONFIG"):
        monkeypatch.setenv(name, "")
    monkeypatch.setattr(threads, "_keep_freed_memory", lambda: None)  # it would last for all tests

    threads.limit(3)

    assert [os.environ[f"{library}_NUM_THREADS"] for library in ("OMP", "MKL", "OPENBLAS")] == ["3", "3", "3"]
    assert (os.environ["OMP_WAIT_POLICY"], os.environ["CUBLAS_WORKSPACE_CONFIG"]) == ("passive", ":4096:8")


def test_memory_is_kept_by_options_that_mallopt_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    class Libc:
        def mallopt(self, option: int, value: int) -> None:
            calls.append((option, value))

    monkeypatch.setattr(threads.ctypes, "CDLL", lambda name: Libc())
    threads._keep_freed_memory()
    monkeypatch.setattr(threads.ctypes, "CDLL", lambda name: object())
    threads._keep_freed_memory()  # another C library: no error

    assert len(calls) == 4 and all(0 < value < 2**31 for _, value in calls)


COUNT = """
import sys
sys.argv[0] = "-m"  # as for `python -m stages.<stage>`
import stages
import numpy  # as the module of a stage does, before its parameters are read
from pathlib import Path
from modelmake.running import threads
threads.limit({threads})
numpy.ones((600, 600)) @ numpy.ones((600, 600))
print(len(list(Path("/proc/self/task").iterdir())))
"""


@pytest.mark.skipif(
    sys.platform != "linux" or (os.cpu_count() or 1) < 2, reason="counts threads in /proc, of two cores"
)
@pytest.mark.parametrize("threads", [1, 2])
def test_as_many_threads_run_as_are_declared_though_numpy_is_imported_before(threads: int) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    process = subprocess.run(
        [sys.executable, "-c", COUNT.format(threads=threads)],
        cwd=Path(__file__).parents[3], env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert process.stdout == f"{threads}\n"
