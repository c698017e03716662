"""Locks on files. A lock holds the id of its process and ends with it."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path


def acquire(file: Path, busy: Callable[[str], None]) -> int:
    """Locks a file, which is created if needed, and returns its handle; closing the handle releases the lock.

    If another process holds the lock, `busy` is called with its process id; then this waits, unless `busy` raises.
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
