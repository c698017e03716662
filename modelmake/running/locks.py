"""Locks on files. A lock holds the id of its process and ends with it."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

from modelmake.errors import UserError


def acquire(file: Path, busy: Callable[[str], None]) -> int:
    """Locks a file, which is created if needed, and returns its handle; closing the handle releases the lock.

    If another process holds the lock, `busy` is called with its process id; then this waits, unless `busy` raises.

    Raises:
        UserError: files cannot be locked on this file system.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    while True:
        handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _lock(file, handle, busy)
        except BaseException:
            os.close(handle)
            raise
        if _is_at(file, handle):
            break
        os.close(handle)  # the process that held the lock has removed this file
    os.ftruncate(handle, 0)
    os.pwrite(handle, str(os.getpid()).encode(), 0)
    return handle


def release(file: Path, handle: int) -> None:
    """Removes a locked file and releases the lock."""
    file.unlink(missing_ok=True)
    os.close(handle)


def _is_at(file: Path, handle: int) -> bool:
    try:
        return os.path.samestat(os.stat(file), os.fstat(handle))
    except FileNotFoundError:
        return False


def _lock(file: Path, handle: int, busy: Callable[[str], None]) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    except BlockingIOError:
        pass
    except OSError as error:
        raise UserError(
            f"{file}: {error.strerror}: want a file system on which files can be locked (flock); move the clone, or "
            "the cache (`dvc cache dir`), to one"
        ) from error
    busy(os.pread(handle, 100, 0).decode(errors="replace") or "that has just begun")
    fcntl.flock(handle, fcntl.LOCK_EX)
