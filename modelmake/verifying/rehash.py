"""Hashes of bytes as they are now: every byte is read, no size, time or earlier hash is trusted."""

import stat
import sys
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, TypeVar

from modelmake import artifacts
from modelmake.dvc.stores import Store
from modelmake.errors import UserError

T, R = TypeVar("T"), TypeVar("R")
JOBS = 8  # MD5 lets other threads run; a remote answers several at once
LINE_EVERY_S = 10


@dataclass(frozen=True)
class Digest:
    """What was read; `error` says why it could not be, and then the rest is empty."""

    md5: str
    size: int  # bytes
    error: str = ""


class Progress:
    """A bar in a terminal, a plain line every ten seconds in a log. `wanted` bytes are only for the drawing.

    Once it is left, by an interrupt say, threads that still read are stopped at their next block.
    """

    def __init__(self, what: str, wanted: int) -> None:
        self.what, self.wanted, self.read, self.stopped = what, wanted, 0, False
        self.lock, self.told = threading.Lock(), time.monotonic()

    def __enter__(self) -> "Progress":
        from tqdm import tqdm

        self.bar = tqdm(
            total=self.wanted, desc=self.what, unit="B", unit_scale=True, leave=False, disable=not sys.stderr.isatty()
        )
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stopped = True
        self.bar.close()

    def advance(self, size: int) -> None:
        """So many bytes more; raises in the threads of a work that was given up."""
        if self.stopped:
            raise KeyboardInterrupt
        with self.lock:
            self.read += size
            self.bar.update(size)
            if self.bar.disable and time.monotonic() - self.told > LINE_EVERY_S:
                self.told = time.monotonic()
                print(f"  {self.what}: {self.read / 1e6:,.0f} of {self.wanted / 1e6:,.0f} MB", file=sys.stderr)


def digest(stream: BinaryIO, advance: Callable[[int], Any] = lambda _: None) -> Digest:
    """Reads to the end."""
    file = artifacts.read(stream, advance)
    return Digest(file.md5, file.size)


def files(paths: Iterable[Path], progress: Progress) -> dict[Path, Digest | None]:
    """The digest of each file; None where there is none. A file of several names (hard links) is read once."""
    found: dict[Path, Digest | None] = {}
    names: dict[tuple[int, int], list[Path]] = {}
    for path in paths:
        try:
            status = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            found[path] = None
        except OSError as error:
            found[path] = Digest("", 0, str(error.strerror))
        else:
            if stat.S_ISREG(status.st_mode):
                names.setdefault((status.st_dev, status.st_ino), []).append(path)
            else:
                found[path] = Digest("", 0, "no regular file")

    def read(same: list[Path]) -> Digest | None:
        try:
            with same[0].open("rb") as stream:
                return digest(stream, progress.advance)
        except FileNotFoundError:
            return None
        except OSError as error:  # a broken disk is part of what is looked for
            return Digest("", 0, str(error.strerror))

    for same, what in zip(names.values(), together(read, names.values()), strict=True):
        found |= dict.fromkeys(same, what)
    return found


def objects(store: Store, md5s: Iterable[str], progress: Progress) -> dict[str, Digest | None]:
    """The digest of each object of a store; None where there is none.

    Raises:
        UserError: the store cannot be read.
    """
    if store.local:
        paths = {md5: store.path(md5) for md5 in md5s}
        found = files(paths.values(), progress)
        return {md5: found[path] for md5, path in paths.items()}

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

    wanted = list(md5s)
    return dict(zip(wanted, together(read, wanted), strict=True))


def together(work: Callable[[T], R], things: Iterable[T]) -> list[R]:
    """The work of each thing, some at once, in their order."""
    pool = ThreadPoolExecutor(JOBS)
    try:
        return list(pool.map(work, things))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
