"""The benchmark of GPUs: its arithmetic by hand, and all of its runs at a tiny shape on the CPU."""

import json
import subprocess
import sys

import pytest

from benchmarks import gpu, gpu_runs
from tests.conftest import ROOT


def test_operations_of_a_token_are_counted() -> None:
    from transformers import AutoConfig, AutoModelForCausalLM

    made = AutoModelForCausalLM.from_config(AutoConfig.for_model(**gpu_runs.SHAPES["tiny"]))
    attention, feed_forward, norms = 64 * 64 + 2 * 64 * 32 + 64 * 64, 3 * 64 * 128, 2 * 64
    weights = 2 * (attention + feed_forward + norms) + 64 + 384 * 64  # the last norm, the output matrix

    found = gpu_runs.flops(made, {"tokens": 64})

    assert found == {"parameters": weights + 384 * 64, "flops_per_token": 4 * weights + 6 * 2 * 64 * 16}


@pytest.mark.parametrize(
    ("name", "flops"),
    [("NVIDIA H200", 989e12), ("NVIDIA H100 PCIe", 756e12), ("NVIDIA H100 80GB HBM3", 989e12), ("NVIDIA L40S", 362e12),
     ("NVIDIA L4", 121e12), ("NVIDIA GeForce GTX 1080", None), (None, None)],
)  # fmt: skip
def test_the_peak_is_that_of_the_gpu(name: str | None, flops: float | None) -> None:
    assert gpu.peak(name) == flops


@pytest.mark.slow
def test_every_run_trains_the_same_tokens() -> None:
    command = [sys.executable, "benchmarks/gpu.py", "--shape", "tiny", "--device", "cpu", "--tokens", "64"]

    done = subprocess.run([*command, "--steps", "2", "--threads", "1", "--json"], cwd=ROOT, capture_output=True)

    assert done.returncode == 0, done.stderr.decode()[-2000:]
    tiny = json.loads(done.stdout)["tiny"]
    runs = [tiny[way][how] for way in gpu.WAYS for how in gpu.HOWS]
    assert [run["tokens"] for run in runs] == [2 * 2 * 64] * 4  # steps, blocks, tokens of a block
    assert all(run["tokens_per_s"] > 0 and run["peak_mib"] > 0 for run in runs)
    assert all("foreseen_mib" in tiny[way]["ours"] for way in gpu.WAYS)
