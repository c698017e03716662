"""Git, read only: commits, and files as they were in them."""

import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from modelmake import artifacts
from modelmake.errors import UserError


@dataclass(frozen=True)
class Commit:
    sha: str
    at: int  # seconds since 1970, when it was committed
    subject: str


@dataclass(frozen=True)
class Blob:
    """A file's content in git."""

    sha: str
    size: int  # bytes


def head(root: Path) -> str:
    """The hash of HEAD's commit; "" where nothing is committed."""
    return (_git(root, "rev-parse", "-q", "--verify", "HEAD^{commit}") or b"").decode().strip()


def commits(root: Path) -> list[Commit]:
    """Every commit that a branch, tag, stash, experiment or detached HEAD reaches; none outside a repository.

    Raises:
        UserError: git cannot read the repository.
    """
    try:
        run(root, "rev-parse", "--git-dir")
    except UserError as error:
        if "not a git repository" not in str(error):
            raise
    heads = ["HEAD"] if head(root) else []
    output = _git(root, "log", "--all", *heads, "--no-show-signature", "--format=%H%x00%ct%x00%s", "--")
    lines = (output or b"").decode("utf-8", "replace").splitlines()
    return [Commit(sha, int(at), subject) for sha, at, subject in (line.split("\0", 2) for line in lines)]


def touching(root: Path, path: str, limit: int) -> list[str]:
    """The hashes of the newest commits that touched a path, newest first, at most `limit`."""
    return (_git(root, "log", f"-{limit}", "--format=%H", "--", path) or b"").decode().split()


def blobs(root: Path, commit: str, path: str) -> dict[str, Blob]:
    """{relative path: blob} of a folder in a commit, {"": blob} of a file."""
    lines = (_git(root, "ls-tree", "-r", "-z", "-l", commit, "--", path) or b"").decode().split("\0")[:-1]
    entries = [(*line.partition("\t")[0].split(), line.partition("\t")[2]) for line in lines]
    return {
        name.removeprefix(path).lstrip("/"): Blob(sha, int(size))
        for _, kind, sha, size, name in entries
        if kind == "blob"
    }


def hashes(root: Path, commits: list[str], path: str) -> list[str]:
    """The hash of a file in each commit; "" where the commit has no such file."""
    if not commits:
        return []
    names = "".join(f"{sha}:./{path}\n" for sha in commits).encode()
    lines = (_git(root, "cat-file", "--batch-check=%(objectname)", stdin=names) or b"").decode().splitlines()
    return ["" if line.endswith(" missing") else line for line in lines]


def contents(root: Path, objects: Iterable[str]) -> Iterator[bytes | None]:
    """The content of each object, named by hash or as commit:path; None where there is none.

    One object at a time is in memory.
    """
    names = list(objects)
    with tempfile.TemporaryFile() as request:
        request.write("".join(f"{name}\n" for name in names).encode())
        request.seek(0)
        command = ["git", "cat-file", "--batch"]
        with subprocess.Popen(
            command, cwd=root, stdin=request, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            for _ in names:  # `<hash> blob <bytes>`, the content, an end of line
                words = process.stdout.readline().split()
                if len(words) != 3:  # `<name> missing`, or no repository
                    yield None
                    continue
                yield process.stdout.read(int(words[2]))
                process.stdout.read(1)


def versions(root: Path, commits: list[str], path: str) -> list[bytes]:
    """Every content that a file has in some commits, in their order."""
    distinct = dict.fromkeys(sha for sha in hashes(root, commits, path) if sha)
    return [content for content in contents(root, distinct) if content is not None]


def committed(root: Path, path: str) -> dict[str, str]:
    """{relative path: MD5} of a folder's files at HEAD, {"": MD5} of a file; empty where nothing is committed."""
    found = blobs(root, "HEAD", path)
    read = contents(root, (blob.sha for blob in found.values()))
    return {name: artifacts.md5(content) for name, content in zip(found, read, strict=True) if content is not None}


def run(root: Path, *arguments: str) -> str:
    """The output of a git command, without white space around it.

    Raises:
        UserError: git's own message.
    """
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise UserError("git: not installed: want git on the PATH; install it") from None
    if done.returncode:
        message = " ".join(done.stderr.split())
        raise UserError(f"{root.absolute()}: git {arguments[0]}: {message}: want a repository that git can read")
    return done.stdout.strip()


def _git(root: Path, *arguments: str, stdin: bytes = b"") -> bytes | None:
    """The output of a git command; None where it fails, as outside a repository, or where git is not installed."""
    try:
        done = subprocess.run(["git", *arguments], cwd=root, input=stdin, capture_output=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 else None
