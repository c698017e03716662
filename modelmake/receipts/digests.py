"""SHA-256, and DVC's MD5 beside it, of files and contents."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from modelmake.artifacts import BLOCK_BYTES
from modelmake.errors import UserError


@dataclass(frozen=True)
class Digest:
    sha256: str
    md5: str
    size: int  # bytes

    @property
    def as_set(self) -> dict[str, str]:
        """{algorithm: hexadecimal}, a DigestSet of in-toto."""
        return {"md5": self.md5, "sha256": self.sha256}


def of(content: bytes) -> Digest:
    """The digest of some bytes."""
    return _digest([content])


def of_file(path: Path) -> Digest:
    """The digest of a file; a link counts as what it leads to."""
    with path.open("rb") as stream:
        return _digest(iter(lambda: stream.read(BLOCK_BYTES), b""))


def of_folder(folder: Path) -> dict[str, Digest]:
    """{path in a folder: digest} of every file, sorted, hidden ones too.

    Raises:
        UserError: the folder is none, is empty, or holds what is no file of its own: a link, a socket.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder: want the files of a release in one")
    paths = sorted(_files(folder), key=lambda path: path.relative_to(folder).as_posix())
    if foreign := [str(path) for path in paths if path.is_symlink() or not path.is_file()]:
        raise UserError(f"{', '.join(foreign)}: a link, or no file: want the bytes themselves; copy them there")
    if not paths:
        raise UserError(f"{folder}: no file in it: want the files of a release")
    return {path.relative_to(folder).as_posix(): of_file(path) for path in paths}


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        yield from (Path(place, name) for name in folders if Path(place, name).is_symlink())
        yield from (Path(place, name) for name in names)


def _digest(blocks: Iterator[bytes] | list[bytes]) -> Digest:
    sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    for block in blocks:
        sha256.update(block)
        md5.update(block)
        size += len(block)
    return Digest(sha256.hexdigest(), md5.hexdigest(), size)
