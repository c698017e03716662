"""Free memory, free disk and GPUs of this machine."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CGROUP = Path("/sys/fs/cgroup")


def memory(cgroup: Path = CGROUP) -> int:
    """Bytes that a process can take: those available on the machine, or fewer where the container is limited."""
    import psutil

    available = psutil.virtual_memory().available
    try:
        limit, used = (int((cgroup / name).read_text()) for name in ("memory.max", "memory.current"))
        statistics = dict(line.split() for line in (cgroup / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):  # no cgroup of version 2, or no limit: `max`
        return available
    return max(0, min(available, limit - used + int(statistics.get("inactive_file", 0))))


def total_memory(cgroup: Path = CGROUP) -> int:
    """Bytes of this machine, or fewer where the container is limited."""
    import psutil

    total = psutil.virtual_memory().total
    try:
        return min(total, int((cgroup / "memory.max").read_text()))
    except (OSError, ValueError):
        return total


def disk(*folders: Path) -> int:
    """Free bytes on the fullest of the disks of these folders, which need not exist yet."""
    return min(shutil.disk_usage(next(p for p in (f, *f.parents) if p.exists())).free for f in folders)


def gpus() -> int:
    """The number of NVIDIA GPUs that a process can use."""
    if shutil.which("nvidia-smi") is None:
        return 0
    listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False).stdout
    count = sum(line.startswith("GPU ") for line in listed.splitlines())
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return count if visible is None else min(count, sum(d not in ("", "-1") for d in visible.split(",")))


def unmet(metas: Mapping[str, Mapping[str, Any]], cgroup: Path = CGROUP) -> dict[str, str]:
    """{`cpus`, `mem_mb` or `gpu`: what this machine has less of than a stage reserves for a scheduler, in words}.

    `metas` is {stage: its meta in dvc.yaml}. The stage that reserves most is named.
    """
    machine = {"cpus": lambda: os.cpu_count() or 1, "mem_mb": lambda: total_memory(cgroup) // 10**6, "gpu": gpus}
    phrases = {}
    for name, measure in machine.items():
        reserved, stage = max(((int(meta.get(name) or 0), stage) for stage, meta in metas.items()), default=(0, ""))
        if reserved and reserved > (here := measure()):
            phrases[name] = f"{stage} reserves {name} = {reserved}: this machine has {here}"
    return phrases
