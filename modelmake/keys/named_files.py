"""Files that code names in its strings."""

import os
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from modelmake.keys import locked_packages

MAX_PATH_CHARS = 200  # a longer string in code is not looked up as a path
OF_EVERY_PACKAGE = "__init__.py"  # by itself it names no file in particular


def find(root: Path, beside: Path, strings: Iterable[str], packages: Collection[str]) -> Iterator[Path]:
    """Files of `packages` that strings name, relative to the root or to the folder `beside`, and all in folders.

    Code is found only where a string names its file.
    """
    for string in strings:
        relative = string.strip("/")
        if not relative.strip("./") or relative == OF_EVERY_PACKAGE:
            continue
        if len(relative) > MAX_PATH_CHARS or not relative.isprintable():
            continue
        for candidate in {os.path.join(root, relative), os.path.join(beside, relative)}:
            if not os.path.exists(candidate) or os.path.exists(os.path.join(candidate, OF_EVERY_PACKAGE)):
                continue
            path = Path(candidate)
            if os.path.relpath(path, root).split("/")[0] in packages:
                files = _in_folder(path) if path.is_dir() else [path]
                yield from (f for f in files if f.is_file() and (f == path or f.suffix not in (".py", ".pyc")))


def _in_folder(folder: Path) -> Iterator[Path]:
    """What is in a folder, and behind links in it to other folders."""
    for path, folders, files in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not locked_packages.leads_around(Path(path, name))]
        yield from (Path(path, file) for file in files)
