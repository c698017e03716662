"""One process at a time has a lock, and the lock ends with it."""

import errno
import fcntl
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from modelmake.errors import UserError
from modelmake.running import locks

HOLD = "import sys\nfrom pathlib import Path\nfrom modelmake.running import locks\n" \
       "locks.acquire(Path(sys.argv[1]), print)\nprint('locked', flush=True)\nsys.stdin.read()\n"  # fmt: skip


def refuse(process: str) -> None:
    raise BlockingIOError(process)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "locks/stage"


def test_a_lock_is_refused_with_the_process_that_has_it_until_its_handle_is_closed(file: Path) -> None:
    handle = locks.acquire(file, refuse)

    with pytest.raises(BlockingIOError, match=rf"^{os.getpid()}$"):
        locks.acquire(file, refuse)
    os.close(handle)
    os.close(locks.acquire(file, refuse))


def test_a_lock_ends_with_its_process_however_that_ends(file: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", HOLD, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdout.readline() == b"locked\n"
    with pytest.raises(BlockingIOError, match=rf"^{other.pid}$"):
        locks.acquire(file, refuse)

    other.kill()
    other.communicate()

    os.close(locks.acquire(file, refuse))


def test_a_process_that_does_not_refuse_waits(file: Path) -> None:
    handle, processes, acquired = locks.acquire(file, refuse), [], threading.Event()

    def wait() -> None:
        os.close(locks.acquire(file, processes.append))
        acquired.set()

    thread = threading.Thread(target=wait)
    thread.start()
    assert not acquired.wait(0.2)
    os.close(handle)
    assert acquired.wait(10)
    thread.join()

    assert processes == [str(os.getpid())]


def test_a_file_that_its_holder_removes_is_locked_anew(file: Path) -> None:
    handle, acquired = locks.acquire(file, refuse), []
    thread = threading.Thread(target=lambda: acquired.append(locks.acquire(file, lambda _: None)))
    thread.start()
    locks.release(file, handle)
    thread.join(10)

    with pytest.raises(BlockingIOError):
        locks.acquire(file, refuse)
    os.close(acquired[0])


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_named(file: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def flock(*_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    message = f"{file}: {os.strerror(number)}: want a file system on which files can be locked (flock); move the clone"

    with pytest.raises(UserError, match=f"^{re.escape(message)}"):
        locks.acquire(file, refuse)


def test_a_holder_that_has_not_written_its_number_yet_is_told_as_such(file: Path) -> None:
    os.ftruncate(locks.acquire(file, refuse), 0)

    with pytest.raises(BlockingIOError, match=r"^that has just begun$"):
        locks.acquire(file, refuse)
