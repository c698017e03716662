"""Free memory, free disk and GPUs of this machine."""

import os
import shutil
import subprocess
from pathlib import Path

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
