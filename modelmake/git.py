"""Commits of a git repository, and files as they were in them. Nothing is written.

Paths are relative to `root`, which may be any folder of the repository. Outside a repository there are no commits and
no files. Everywhere else a failure of git is an error: a repository that git refuses must not look empty.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelmake import artifacts
from modelmake.errors import UserError

GIT = ("git", "--literal-pathspecs")  # a `*` in the name of a file is no pattern
ENVIRONMENT = {"LC_ALL": "C"}  # messages in English
NOTHING_THERE = ("not a git repository (or any", "is outside repository")  # messages that are no errors here


@dataclass(frozen=True)
class Commit:
    sha: str
    timestamp: int  # of the committer, Unix seconds
    subject: str


@dataclass(frozen=True)
class Blob:
    """The content of a file in git."""

    sha: str
    size: int  # bytes


def head(root: Path) -> str:
    """The hash of the commit that is checked out; "" before the first commit.

    Raises:
        UserError: git is not installed or cannot read the repository. So do all functions here.
    """
    return _git(root, "rev-parse", "-q", "--verify", "HEAD", no_output_code=1).decode().strip()


def commit_of(root: Path, revision: str) -> str:
    """The hash of the commit that a branch, tag, hash or any other revision of git names; "" where it names none."""
    name = f"{revision}^{{commit}}"
    return _git(root, "rev-parse", "-q", "--verify", "--end-of-options", name, no_output_code=1).decode().strip()


def timestamp(root: Path, commit: str) -> int:
    """When a commit was made, Unix seconds of its committer, whether or not a branch reaches it."""
    return int(_git(root, "show", "-s", "--no-show-signature", "--format=%ct", commit))


def is_shallow(root: Path) -> bool:
    """Whether the repository lacks the history before some commits, as one cloned with --depth does."""
    return _git(root, "rev-parse", "--is-shallow-repository").decode().strip() == "true"


def refs(root: Path, folder: str) -> dict[str, str]:
    """{full name: hash of its object} of the refs in a folder, such as refs/tags."""
    lines = _git(root, "for-each-ref", "--format=%(objectname) %(refname)", folder).decode("utf-8", "replace")
    return {name: sha for sha, _, name in (line.partition(" ") for line in lines.splitlines())}


def commits(root: Path) -> list[Commit]:
    """Every commit that a branch, tag, stash, DVC experiment or detached HEAD reaches, newest first."""
    detached = ["HEAD"] if head(root) else []
    lines = _git(
        root, "log", "--all", *detached, "--no-show-signature", "--encoding=UTF-8", "--format=%H%x00%ct%x00%s", "--"
    )
    fields = (line.split("\0", 2) for line in lines.decode("utf-8", "replace").split("\n")[:-1])
    return [Commit(sha, int(timestamp), subject) for sha, timestamp, subject in fields]


def touching(root: Path, path: str, limit: int) -> list[str]:
    """The hashes of the last commits up to HEAD that changed a file or folder, newest first, at most `limit`."""
    if not head(root):
        return []
    return _git(root, "rev-list", f"--max-count={limit}", "HEAD", "--", path).decode().split()


def blobs(root: Path, commit: str, path: str) -> dict[str, Blob]:
    """{relative path: blob} of a folder in a commit, {"": blob} of a file; empty where the commit has neither."""
    entries = (entry.partition(b"\t") for entry in _git(root, "ls-tree", "-rzl", commit, "--", path).split(b"\0")[:-1])
    result = {}
    for facts, _, name in entries:
        _, kind, sha, size = facts.decode().split()
        if kind == "blob":  # a submodule is a commit
            result[os.fsdecode(name).removeprefix(path).lstrip("/")] = Blob(sha, int(size))
    return result


def hashes(root: Path, commits: list[str], path: str) -> list[str]:
    """The hash of a file's blob in each commit; "" where a commit has no such file."""
    if not commits:
        return []
    names = "".join(f"{sha}:./{path}\n" for sha in commits)
    lines = _git(root, "cat-file", "--batch-check=%(objectname)", stdin=os.fsencode(names)).split(b"\n")[:-1]
    return ["" if line.endswith(b" missing") else line.decode() for line in lines]


def contents(root: Path, objects: Iterable[str]) -> Iterator[bytes | None]:
    """The content of each object, named by its hash or as commit:path; None where the repository lacks it.

    One content at a time is in memory.
    """
    names = list(objects)
    if not names:
        return
    with tempfile.TemporaryFile() as request, tempfile.TemporaryFile() as errors:
        request.write(os.fsencode("".join(f"{name}\n" for name in names)))
        request.seek(0)
        with _started(root, "cat-file", "--batch", stdin=request, stdout=subprocess.PIPE, stderr=errors) as process:
            for _ in names:
                header = process.stdout.readline()  # `<hash> <kind> <bytes>`, or `<name> missing`
                if not header:
                    process.wait()
                    errors.seek(0)
                    message = errors.read()
                    if not any(absent.encode() in message for absent in NOTHING_THERE):
                        raise UserError(_problem(root, "cat-file", message))
                    yield None
                    continue
                if header.endswith(b" missing\n"):
                    yield None
                    continue
                yield process.stdout.read(int(header.split()[-1]))
                process.stdout.read(1)  # the end of a line


def versions(root: Path, commits: list[str], path: str) -> list[bytes]:
    """The distinct contents of a file in some commits, in their order."""
    distinct = dict.fromkeys(sha for sha in hashes(root, commits, path) if sha)
    return [content for content in contents(root, distinct) if content is not None]


def committed(root: Path, path: str) -> dict[str, str]:
    """{relative path: MD5} of a folder at HEAD, {"": MD5} of a file; empty where HEAD has neither."""
    commit = head(root)
    files = blobs(root, commit, path) if commit else {}
    read = contents(root, (blob.sha for blob in files.values()))
    return {name: artifacts.md5(content) for name, content in zip(files, read, strict=True) if content is not None}


def changed(root: Path) -> list[str]:
    """The files below `root` that differ from HEAD, or that HEAD does not have and git does not ignore."""
    differing = _git(root, "diff", "--name-only", "--relative", "--no-renames", "--no-ext-diff", "-z", "HEAD", "--")
    untracked = _git(root, "ls-files", "--others", "--exclude-standard", "-z")
    return [os.fsdecode(name) for name in (differing + untracked).split(b"\0") if name]


def _git(root: Path, *arguments: str, stdin: bytes = b"", no_output_code: int = 0) -> bytes:
    """The output of a git command; empty outside a repository, and where git exits with `no_output_code`."""
    with _started(root, *arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        output, errors = process.communicate(stdin)
    if process.returncode in (0, no_output_code):
        return output
    if any(message.encode() in errors for message in NOTHING_THERE):
        return b""
    raise UserError(_problem(root, arguments[0], errors))


def _started(root: Path, *arguments: str, **streams: Any) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen([*GIT, *arguments], cwd=root, env={**os.environ, **ENVIRONMENT}, **streams)
    except FileNotFoundError:
        raise UserError("git: not installed: want git on the PATH; install it") from None


def _problem(root: Path, command: str, errors: bytes) -> str:
    message = " ".join(errors.decode("utf-8", "replace").split())
    return f"{root.absolute()}: git {command}: {message}: want a repository that git can read"
