"""Numeric libraries get the declared number of threads, whatever the environment said before."""

import os

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
