"""What git remembers: commits, and files as they were in them. Asks git itself, and only reads."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from modelmake.errors import UserError


@dataclass(frozen=True)
class Commit:
    sha: str
    at: int  # seconds since 1970, when it was committed
    subject: str


def _git(root: Path, *arguments: str, told: bytes = b"") -> bytes | None:
    """What git prints; None where it fails, as outside a repository."""
    done = subprocess.run(["git", *arguments], cwd=root, input=told, capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else None


def _check(root: Path) -> None:
    """Outside a repository there is no history; in one that git does not read, there is one that nobody can tell."""
    done = subprocess.run(["git", "rev-parse", "--git-dir"], cwd=root, capture_output=True, text=True, check=False)
    said = done.stderr.strip()
    if done.returncode and "not a git repository" not in said:
        raise UserError(f"{root}: git says: {' '.join(said.split())}: want a repository that it can read")


def all_of(root: Path) -> list[Commit]:
    """Every commit that any branch, tag, stash or experiment reaches, and a detached HEAD's."""
    _check(root)
    heads = ["HEAD"] if _git(root, "rev-parse", "-q", "--verify", "HEAD^{commit}") else []
    shown = _git(root, "log", "--all", *heads, "--no-show-signature", "--format=%H%x00%ct%x00%s", "--")
    lines = (shown or b"").decode("utf-8", "replace").splitlines()
    return [Commit(sha, int(at), subject) for sha, at, subject in (line.split("\0", 2) for line in lines)]


def blobs(root: Path, shas: list[str], path: str) -> list[str]:
    """The hash of a file of the project in each commit; "" where it has none."""
    if not shas:
        return []
    asked = "".join(f"{sha}:./{path}\n" for sha in shas).encode()
    lines = (_git(root, "cat-file", "--batch-check=%(objectname)", told=asked) or b"").decode().splitlines()
    return ["" if line.endswith(" missing") else line for line in lines]


def contents(root: Path, names: list[str]) -> list[bytes | None]:
    """The content of git's objects, by hash or as commit:path; None where there is none."""
    if not names:
        return []
    output = _git(root, "cat-file", "--batch", told="".join(f"{name}\n" for name in names).encode()) or b""
    found: list[bytes | None] = []
    position = 0
    while position < len(output):
        end = output.index(b"\n", position)
        if output[position:end].endswith(b" missing"):
            found.append(None)
            position = end + 1
        else:
            size = int(output[position:end].rpartition(b" ")[2])
            found.append(output[end + 1 : end + 1 + size])
            position = end + 2 + size
    return found or [None] * len(names)


def versions(root: Path, shas: list[str], path: str) -> list[bytes]:
    """Every content that a file of the project has in some commits, in their order."""
    found = dict.fromkeys(blob for blob in blobs(root, shas, path) if blob)
    return [content for content in contents(root, list(found)) if content is not None]
