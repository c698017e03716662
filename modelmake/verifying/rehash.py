"""MD5 of files and objects as they are now. Every byte is read; no size, time or earlier hash is trusted."""

import stat
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, TypeVar

from modelmake import artifacts
from modelmake.dvc.stores import Store
from modelmake.errors import UserError
from modelmake.progress import ProgressBar

T, R = TypeVar("T"), TypeVar("R")
THREADS = 8  # hashing releases Python's lock, and a remote serves several requests at once


@dataclass(frozen=True)
class Digest:
    """MD5 and size of a file, or the reason why it could not be read."""

    md5: str
    size: int  # bytes
    error: str = ""


class Progress:
    """The progress of threads that read bytes.

    When the block ends early, threads that still read are stopped at their next block of bytes.
    """

    def __init__(self, label: str, total: int) -> None:
        """`total`: bytes expected, for display only."""
        self.bar, self.lock, self.stopped = ProgressBar(total, label, "B"), threading.Lock(), False

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stopped = True
        self.bar.bar.close()

    def advance(self, size: int) -> None:
        """Counts `size` more bytes.

        Raises:
            KeyboardInterrupt: the block has ended, and this thread should end too.
        """
        if self.stopped:
            raise KeyboardInterrupt
        with self.lock:
            self.bar.update(size)


def digest(stream: BinaryIO, advance: Callable[[int], Any] = lambda _: None) -> Digest:
    """The digest of a stream, read to its end."""
    file = artifacts.read(stream, advance)
    return Digest(file.md5, file.size)


def files(paths: Iterable[Path], progress: Progress) -> dict[Path, Digest | None]:
    """The digest of each file; None if there is none. A file with several names (hard links) is read once."""
    result: dict[Path, Digest | None] = {}
    paths_by_inode: dict[tuple[int, int], list[Path]] = {}
    for path in paths:
        try:
            status = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            result[path] = None
        except OSError as error:
            result[path] = Digest("", 0, str(error.strerror))
        else:
            if stat.S_ISREG(status.st_mode):
                paths_by_inode.setdefault((status.st_dev, status.st_ino), []).append(path)
            else:
                result[path] = Digest("", 0, "no regular file")

    def read(names: list[Path]) -> Digest | None:
        try:
            with names[0].open("rb") as stream:
                return digest(stream, progress.advance)
        except FileNotFoundError:
            return None
        except OSError as error:  # a broken disk is one of the things to report
            return Digest("", 0, str(error.strerror))

    for names, file_digest in zip(paths_by_inode.values(), in_threads(read, paths_by_inode.values()), strict=True):
        result |= dict.fromkeys(names, file_digest)
    return result


def objects(store: Store, md5s: Iterable[str], progress: Progress) -> dict[str, Digest | None]:
    """The digest of each object of a store; None if there is none.

    Raises:
        UserError: the store cannot be read.
    """
    if store.local:
        paths = {md5: store.path(md5) for md5 in md5s}
        digests = files(paths.values(), progress)
        return {md5: digests[path] for md5, path in paths.items()}

    def read(md5: str) -> Digest | None:
        try:
            with store.open(md5) as stream:
                return digest(stream, progress.advance)
        except FileNotFoundError:
            return None
        except Exception as error:  # each kind of store has its own
            raise UserError(
                f"{store.where(md5)}: {type(error).__name__}: {' '.join(str(error).split())}: want to read it; "
                "see docs/remotes.md for addresses and credentials"
            ) from error

    names = list(md5s)
    return dict(zip(names, in_threads(read, names), strict=True))


def in_threads(function: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """The function's result for each item, in order, with `THREADS` calls at a time."""
    pool = ThreadPoolExecutor(THREADS)
    try:
        return list(pool.map(function, items))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
