"""What is in a sandbox: a stage's inputs at their own relative paths, links besides, and nothing else."""

import contextlib
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from modelmake import artifacts
from modelmake.artifacts import Artifact

MAX_COPY_BYTES = 64 << 20  # larger files are linked


def fill(folder: Path, root: Path, paths: Iterable[str], links: Iterable[str]) -> None:
    """Makes the folder, empty before, with files and folders of `root`, and links to those in `links` that are there.

    An absolute path is read where it is.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for path in paths:
        if os.path.isabs(path):
            continue
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        if (root / path).is_dir():
            shutil.copytree(root / path, folder / path, copy_function=_copy_or_link, dirs_exist_ok=True)
        else:
            _copy_or_link(root / path, folder / path)
    for path in links:
        if not (folder / path).exists() and (root / path).exists():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).symlink_to(root / path)


@contextlib.contextmanager
def inside(folder: Path, root: Path) -> Iterator[None]:
    """Makes the folder the current one, and `root` again at the end."""
    try:
        os.chdir(folder)
        yield
    finally:
        os.chdir(root)


def measured(folder: Path, paths: Iterable[str]) -> dict[str, Artifact]:
    """{input: its hashes}, which `main` may ask for."""
    return {path: artifacts.measure(folder / path) for path in paths}


def _copy_or_link(source: str | Path, target: str | Path) -> None:
    """Copies a small file. Hard-links a large one, or makes a symbolic link to another disk."""
    source = Path(source).resolve()
    if source.stat().st_size <= MAX_COPY_BYTES:
        shutil.copyfile(source, target)
        return
    try:
        os.link(source, target)
    except OSError:
        os.symlink(source, target)
