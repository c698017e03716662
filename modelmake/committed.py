"""What is committed at HEAD, by the MD5 of its bytes."""

import hashlib
import subprocess
from pathlib import Path


def files(root: Path, path: str) -> dict[str, str]:
    """{relative path: MD5} of a folder's committed files, {"": MD5} of a file; empty where nothing is committed."""
    listed = subprocess.run(
        ["git", "ls-tree", "-r", "-z", "--full-tree", "HEAD", "--", path], cwd=root, capture_output=True, text=True
    )
    found = {}
    for line in listed.stdout.split("\0")[:-1]:
        (_, kind, blob), name = line.partition("\t")[0].split(), line.partition("\t")[2]
        if kind == "blob":
            content = subprocess.run(["git", "cat-file", "blob", blob], cwd=root, capture_output=True, check=True)
            found[name.removeprefix(path).lstrip("/")] = hashlib.md5(content.stdout).hexdigest()
    return found


def commit(root: Path) -> str:
    """The hash of HEAD's commit, empty where there is none."""
    return subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True).stdout.strip()
