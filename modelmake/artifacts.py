"""Artifacts as DVC names them: by the MD5 of a file, or of the list of a folder's files (`….dir`)."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


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


def measure(path: Path) -> Artifact:
    """Hashes what is at `path`; a file's own name stands for it in `files`.

    The hash of a folder is that of DVC 3: MD5 over the JSON list of `{"md5", "relpath"}` sorted by path.
    """
    if path.is_file():
        file = _file(path)
        return Artifact(file.md5, {path.name: file})
    found = sorted((p.relative_to(path).as_posix(), p) for p in path.rglob("*") if p.is_file())
    files = {name: _file(p) for name, p in found}
    return Artifact(folder_md5({name: file.md5 for name, file in files.items()}), files)


def folder_md5(files: Mapping[str, str]) -> str:
    """What DVC calls a folder of `files`, {relative path: MD5}."""
    return hashlib.md5(listing(files)).hexdigest() + ".dir"


def listing(files: Mapping[str, str]) -> bytes:
    """The object that DVC keeps for such a folder; its own MD5 is the folder's."""
    return json.dumps([{"md5": files[name], "relpath": name} for name in sorted(files)]).encode()


def _file(path: Path) -> File:
    with path.open("rb") as file:
        return File(hashlib.file_digest(file, "md5").hexdigest(), path.stat().st_size)
