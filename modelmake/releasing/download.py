"""Objects of a store, brought to a folder: resumed where a pull was killed, each with the bytes that its name says."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from modelmake import artifacts
from modelmake.artifacts import BLOCK_BYTES
from modelmake.dvc.stores import Store
from modelmake.errors import UserError
from modelmake.verifying import rehash
from modelmake.verifying.rehash import Progress


def fetch(store: Store, md5s: Iterable[str], folder: Path, progress: Progress) -> int:
    """Brings objects, several at a time; returns the bytes that were moved.

    Raises:
        UserError: the store lacks an object, has other bytes, or cannot be read.
    """
    return sum(rehash.in_threads(lambda md5: fetch_one(store, md5, folder / md5, progress), md5s))


def fetch_one(store: Store, md5: str, target: Path, progress: Progress) -> int:
    """Brings an object unless it is there; returns the bytes that were moved.

    The file has its name only when it is whole, and is hashed all the same: disks and people change files. What an
    earlier try left of one is hashed too, and the rest is brought after it; if the whole is wrong then, everything is
    brought once more.
    """
    if target.exists():
        with target.open("rb") as file:
            if artifacts.read(file).md5 == md5.removesuffix(".dir"):
                return 0
        target.unlink()
    partial = target.with_name(f"{md5}.partial")
    moved, kept = 0, partial.exists() and partial.stat().st_size
    for attempt in (1, 2) if kept else (2,):
        found, size = _continue(store, md5, partial, progress)
        moved += size
        if found == md5.removesuffix(".dir"):
            os.replace(partial, target)
            return moved
        partial.unlink()
        if attempt == 2:
            raise UserError(
                f"{store.where(md5)}: other bytes than its name says (MD5 {found}): want the right ones; run "
                f"`modelmake verify --remote {store.name} --replace` in a clone that has them"
            )
    return moved


def _continue(store: Store, md5: str, partial: Path, progress: Progress) -> tuple[str, int]:
    """(MD5 of the whole, bytes that were moved) after the rest of an object was added to a file."""
    digest, moved = hashlib.md5(usedforsecurity=False), 0
    with partial.open("a+b") as file:
        file.seek(0)
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
        try:
            with store.open(md5) as stream:
                if file.tell() and not _skip(stream, file.tell()):
                    file.truncate(0)
                    digest = hashlib.md5(usedforsecurity=False)
                while block := stream.read(BLOCK_BYTES):
                    file.write(block)
                    digest.update(block)
                    moved += len(block)
                    progress.advance(len(block))
        except FileNotFoundError:
            raise UserError(
                f"{store.where(md5)}: no such object: want it on {store.name}; run `dvc push` in a clone that has it"
            ) from None
        except Exception as error:  # each kind of store has its own
            raise UserError(
                f"{store.where(md5)}: {type(error).__name__}: {' '.join(str(error).split())}: want to read it; what "
                "came is kept, run this again"
            ) from error
    return digest.hexdigest(), moved


def _skip(stream: BinaryIO, size: int) -> bool:
    """Whether a stream can go on after so many bytes: some servers send a file from its start alone."""
    try:
        stream.seek(size)
    except ValueError:
        return False
    return True
