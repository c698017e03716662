"""The content of a file or folder with a recorded MD5, from the workspace or git's history."""

from collections.abc import Iterator
from pathlib import Path

from modelmake import artifacts, git
from modelmake.artifacts import Files
from modelmake.errors import UserError

MAX_COMMITS = 50  # that changed the path, newest first
MAX_BYTES = 64 << 20  # of a folder in one commit: hashing more takes longer than the answer is worth


def file(root: Path, path: str, md5: str) -> bytes | None:
    """The content with this MD5; None where neither the workspace nor git has it."""
    current = root / path
    if current.is_file() and artifacts.md5(content := current.read_bytes()) == md5:
        return content
    return next((c for files in _versions(root, path) for c in files.values() if artifacts.md5(c) == md5), None)


def folder(root: Path, path: str, md5: str) -> Files | None:
    """{relative path: MD5} of the folder with this MD5; None where git has no such version."""
    versions = ({name: artifacts.md5(content) for name, content in files.items()} for files in _versions(root, path))
    return next((files for files in versions if artifacts.files_md5(files) == md5), None)


def _versions(root: Path, path: str) -> Iterator[dict[str, bytes]]:
    """{relative path: content} in each commit that changed a path, newest first; nothing where git has no answer."""
    try:
        commits = git.touching(root, path, MAX_COMMITS)
    except UserError:  # git is missing or refuses the repository: a plan needs it for the details of a reason only
        return
    for commit in commits:
        blobs = git.blobs(root, commit, path)
        if sum(blob.size for blob in blobs.values()) <= MAX_BYTES:
            contents = git.contents(root, (blob.sha for blob in blobs.values()))
            yield {name: content for name, content in zip(blobs, contents, strict=True) if content is not None}
