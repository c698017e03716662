"""What this machine has room for now: memory, disk, GPUs."""

import os
import shutil
import subprocess
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def memory(cgroup: Path = CGROUP) -> int:
    """Bytes that a process can take: what the machine has available, or less where the container is limited."""
    import psutil

    available = psutil.virtual_memory().available
    try:
        limit, used = (int((cgroup / name).read_text()) for name in ("memory.max", "memory.current"))
        statistics = dict(line.split() for line in (cgroup / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):  # no cgroup of version 2, or no limit: `max`
        return available
    return max(0, min(available, limit - used + int(statistics.get("inactive_file", 0))))


def disk(*folders: Path) -> int:
    """Bytes free on the fullest of the disks that hold these folders, or will once they are made."""
    return min(shutil.disk_usage(next(p for p in (f, *f.parents) if p.exists())).free for f in folders)


def gpus() -> int:
    """NVIDIA GPUs that a process would see."""
    if shutil.which("nvidia-smi") is None:
        return 0
    listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False).stdout
    found = sum(line.startswith("GPU ") for line in listed.splitlines())
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return found if visible is None else min(found, sum(d not in ("", "-1") for d in visible.split(",")))
