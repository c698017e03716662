"""What a file or folder was when dvc.lock recorded its MD5: as it stands on disk, or in git's history."""

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from modelmake.cache import Files, md5

COMMITS = 50  # that touched it, newest first
MAX_BYTES = 64 << 20  # of a folder in one commit: hashing more takes longer than the answer is worth


def file(root: Path, path: str, recorded: str) -> bytes | None:
    """The content with this MD5, None where neither disk nor git has it."""
    on_disk = root / path
    if on_disk.is_file() and hashlib.md5(content := on_disk.read_bytes()).hexdigest() == recorded:
        return content
    return next((c for blobs in _versions(root, path) for c in blobs.values() if _hash(c) == recorded), None)


def folder(root: Path, path: str, recorded: str) -> Files | None:
    """{relative path: MD5} of the folder with this MD5, None where git has none."""
    versions = ({name: _hash(content) for name, content in blobs.items()} for blobs in _versions(root, path))
    return next((files for files in versions if md5(files) == recorded), None)


def _versions(root: Path, path: str) -> Iterator[dict[str, bytes]]:
    """{relative path: content} in each commit that touched a path, newest first; nothing outside of git."""
    for commit in _git(root, "log", f"-{COMMITS}", "--format=%H", "--", path).split():
        blobs, size = {}, 0
        for line in _git(root, "ls-tree", "-r", "-z", "-l", commit.decode(), "--", path).decode().split("\0")[:-1]:
            (_, kind, blob, length), name = line.partition("\t")[0].split(), line.partition("\t")[2]
            if kind == "blob":
                blobs[name[len(path) + 1 :]] = blob
                size += int(length)
        if size <= MAX_BYTES:
            yield dict(zip(blobs, _contents(root, list(blobs.values())), strict=True))


def _contents(root: Path, blobs: list[str]) -> Iterator[bytes]:
    found, start = _git(root, "cat-file", "--batch", input="\n".join(blobs).encode()), 0
    for _ in blobs:  # `<blob> blob <bytes>`, the content, an end of line
        end = found.index(b"\n", start)
        size = int(found[start:end].split()[2])
        yield found[end + 1 : end + 1 + size]
        start = end + 2 + size


def _hash(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def _git(root: Path, *arguments: str, input: bytes | None = None) -> bytes:
    """Empty where there is no git, or no commit yet."""
    try:
        return subprocess.run(["git", *arguments], cwd=root, input=input, capture_output=True, check=True).stdout
    except (FileNotFoundError, subprocess.CalledProcessError):
        return b""
