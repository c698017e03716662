"""Locks on files, which die with their process and name it."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path


def acquire(file: Path, busy: Callable[[str], None]) -> int:
    """Locks a file, made where it is absent, until its handle, which is returned, is closed.

    Where another process has it, `busy` is called with that process's number first; unless it raises, this waits.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        busy(os.read(handle, 100).decode(errors="replace"))
        fcntl.flock(handle, fcntl.LOCK_EX)
    os.ftruncate(handle, 0)
    os.write(handle, str(os.getpid()).encode())
    return handle
