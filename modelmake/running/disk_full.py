"""Errors that mean a full disk, whichever library raises them, and the message about them."""

import errno
import re
import shutil
from pathlib import Path


def is_disk_full(error: Exception) -> bool:
    """True also for errors of numpy's `tofile` and of safetensors, which have no errno."""
    short_write = isinstance(error, OSError) and re.fullmatch(r"\d+ requested and \d+ written", str(error))
    return getattr(error, "errno", None) == errno.ENOSPC or bool(short_write) or "No space left on device" in str(error)


def message(stage: str, error: Exception) -> str:
    """One line that names the disk and what is free on it."""
    path = Path(str(getattr(error, "filename", None) or "."))
    existing = next(p for p in [path, *path.absolute().parents] if p.exists())
    free = shutil.disk_usage(existing).free >> 20
    return (
        f"{stage}: no space left on the disk of {existing}: found {free} MiB free; nothing published; "
        "free some (`dvc gc -w` drops what no build uses) and `dvc repro` again"
    )
