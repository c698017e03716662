"""Memory, disk and GPUs that a process would get."""

import os
from pathlib import Path

import psutil
import pytest

from modelmake.planning import resources


def cgroup(folder: Path, limit: str, used: int, reclaimable: int) -> Path:
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 5\ninactive_file {reclaimable}\n")
    return folder


def test_a_container_has_what_its_limit_leaves(tmp_path: Path) -> None:
    assert resources.memory(cgroup(tmp_path, "1000000", 400_000, 50_000)) == 650_000
    assert resources.memory(cgroup(tmp_path, "1000000", 1_200_000, 0)) == 0


def test_without_a_limit_it_is_what_the_machine_has(tmp_path: Path) -> None:
    for folder in (tmp_path / "none", cgroup(tmp_path, "max", 5, 0), cgroup(tmp_path, str(2**62), 5, 0)):
        assert resources.memory(folder) == pytest.approx(psutil.virtual_memory().available, rel=0.2)


def test_a_folder_that_is_not_there_yet_is_on_the_disk_of_its_parent(tmp_path: Path) -> None:
    assert resources.disk(tmp_path / "a/b/c") == pytest.approx(resources.disk(tmp_path), rel=0.1)


@pytest.mark.parametrize(("visible", "count"), [(None, 2), ("", 0), ("-1", 0), ("1", 1), ("0,1", 2), ("0,1,2", 2)])
def test_gpus_are_those_that_nvidia_smi_lists_and_a_process_may_see(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, visible: str | None, count: int
) -> None:
    listed = "GPU 0: NVIDIA H200 (UUID: GPU-1)\nGPU 1: NVIDIA H200 (UUID: GPU-2)"
    (tmp_path / "nvidia-smi").write_text(f"#!/bin/sh\necho '{listed}'\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)

    assert resources.gpus() == count


def test_a_machine_without_a_driver_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert resources.gpus() == 0


def test_what_stages_reserve_beyond_this_machine_is_told_with_the_stage_that_reserves_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    monkeypatch.setattr(resources, "gpus", lambda: 1)
    limited = cgroup(tmp_path, "8000000000", 5, 0)
    train, large = {"cpus": 4, "mem_mb": 8000, "gpu": 1}, {"cpus": 8, "mem_mb": 8001, "gpu": 8, "minutes": 9}

    assert resources.unmet({}, limited) == {}
    assert resources.unmet({"train@sft": train, "clean": {}}, limited) == {}
    assert resources.unmet({"train@sft": train, "train@dpo": large, "clean": {}}, limited) == {
        "cpus": "train@dpo reserves cpus = 8: this machine has 4",
        "mem_mb": "train@dpo reserves mem_mb = 8001: this machine has 8000",
        "gpu": "train@dpo reserves gpu = 8: this machine has 1",
    }
