"""Hashes of artifacts as in dvc.lock: the MD5 of a file, or of the listing of a folder (`….dir`)."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO

BLOCK_BYTES = 1 << 20  # size of one read
Files = Mapping[str, str]  # {path in a folder: MD5}, or {"": MD5} of a single file


@dataclass(frozen=True)
class File:
    md5: str
    size: int  # bytes


@dataclass(frozen=True)
class Artifact:
    """A file, or a folder with its files by relative path."""

    md5: str  # as in dvc.lock
    files: dict[str, File]

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(file.size for file in self.files.values())

    def part(self, path: str) -> "Artifact":
        """A file or folder in this folder, by its relative path."""
        if path in self.files:
            return Artifact(self.files[path].md5, {path.rpartition("/")[2]: self.files[path]})
        files = {name.removeprefix(f"{path}/"): f for name, f in self.files.items() if name.startswith(f"{path}/")}
        return Artifact(folder_md5({name: file.md5 for name, file in files.items()}), files)


def md5(content: bytes) -> str:
    """The MD5 of some bytes, by which DVC names files. It is no protection against forgery."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def read(stream: BinaryIO, advance: Callable[[int], Any] = lambda _: None) -> File:
    """The MD5 and size of a stream, read to its end; `advance` is called with the number of bytes of each block."""
    digest, size = hashlib.md5(usedforsecurity=False), 0
    while block := stream.read(BLOCK_BYTES):
        digest.update(block)
        size += len(block)
        advance(len(block))
    return File(digest.hexdigest(), size)


def measure(path: Path, known: Mapping[str, File] = MappingProxyType({})) -> Artifact:
    """The hashes of a file or folder on disk; a file is listed under its own name in `files`.

    `known` are hashes of some of the files, which are not read.
    """
    if path.is_file():
        file = known.get(path.name) or _file(path)
        return Artifact(file.md5, {path.name: file})
    paths = sorted((p.relative_to(path).as_posix(), p) for p in path.rglob("*") if p.is_file())
    files = {name: known.get(name) or _file(p) for name, p in paths}
    return Artifact(folder_md5({name: file.md5 for name, file in files.items()}), files)


def unhashed(path: Path) -> list[str]:
    """What is in a folder though no hash covers it, a phrase each: links to folders, which DVC does not look into,
    links to nothing, and what is no regular file. A link in the place of the folder itself is fine.
    """
    phrases = []
    for folder, folders, files in os.walk(path):
        phrases += [
            f"{os.path.join(folder, name)}: a link to a folder: DVC does not see the files in it; put them there"
            for name in folders if os.path.islink(os.path.join(folder, name))
        ]  # fmt: skip
        for name in (os.path.join(folder, name) for name in files):
            if not os.path.isfile(name):
                kind = "a link to nothing" if os.path.islink(name) else "no regular file"
                phrases.append(f"{name}: {kind}: want a file; remove it, or put one there")
    return sorted(phrases)


def files_md5(files: Files) -> str:
    """The hash of a file or folder as dvc.lock holds it."""
    return files[""] if "" in files else folder_md5(files)


def folder_md5(files: Files) -> str:
    """The hash of a folder as dvc.lock holds it: the MD5 of its listing, followed by `.dir`."""
    return md5(listing(files)) + ".dir"


def listing(files: Files) -> bytes:
    """The listing of a folder as DVC 3 stores it: a JSON list of `{"md5", "relpath"}`, sorted by path."""
    return json.dumps([{"md5": files[name], "relpath": name} for name in sorted(files)]).encode()


def _file(path: Path) -> File:
    with path.open("rb") as stream:
        return read(stream)
