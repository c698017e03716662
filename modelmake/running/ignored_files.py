"""Files in inputs that DVC leaves out of their hashes, by its own rules or by a `.dvcignore`."""

import os
import re
from collections.abc import Iterable, Iterator
from fnmatch import translate
from pathlib import Path

FILE = ".dvcignore"
BY_DVC = (".dvc", ".git", ".hg")  # whatever the file says
OF_PYTHON = "__pycache__"  # no data: no stage reads it


def problems(path: Path) -> list[str]:
    """What is in a folder of the project though DVC may leave it out of the folder's hash, a phrase each.

    What a pattern with a `!` takes back counts, too: it may be told needlessly, and is never left out.
    """
    above = [folder for folder in path.parents if not path.is_absolute()]
    named, placed = _matcher(BY_DVC), []
    for folder in above:
        patterns = list(_patterns(folder / FILE))
        named = f"{named}|{_matcher(p for p in patterns if '/' not in p)}"
        placed += [translate((folder / p.lstrip("/")).as_posix()) for p in patterns if "/" in p]
    name, place = re.compile(named), re.compile("|".join(placed) or r"(?!)")
    found = []
    for folder, folders, files in os.walk(path) if above else ():
        folders[:] = [inner for inner in folders if inner != OF_PYTHON]
        found += [
            os.path.join(folder, inner) for inner in (*folders, *files)
            if inner == FILE or name.match(inner) or place.match(os.path.join(folder, inner))
        ]  # fmt: skip
    return [
        f"{file}: DVC leaves it out of the hash, by {FILE} or as its own: want inputs with hashes; move it elsewhere"
        for file in sorted(found)
    ]


def _patterns(file: Path) -> Iterator[str]:
    """The patterns in a `.dvcignore`; with a slash within where they name a place, not only a name."""
    for line in file.read_text("utf-8").splitlines() if file.is_file() else ():
        pattern = line.strip().rstrip("/").removeprefix("**/")
        if pattern and not pattern.startswith(("#", "!")):
            yield pattern


def _matcher(patterns: Iterable[str]) -> str:
    return "|".join(map(translate, patterns)) or r"(?!)"
