"""Where a stage works: a folder of its own that holds its inputs at their own relative paths, and nothing else.

So a stage reads only what it declares, and what it read is known even where the project's files are edited meanwhile:
small inputs are copied, larger ones hard-linked, which an edit by replacing leaves as they were. Lies in .dvc/tmp/, on
the disk of the workspace.
"""

import contextlib
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from modelmake import artifacts
from modelmake.errors import UserError
from modelmake.running import locks

COPIED_BYTES = 64 << 20  # files up to this size are copied


@dataclass(frozen=True)
class Sandbox:
    folder: Path
    root: Path  # of the project
    md5s: dict[str, str]  # {input: hash, as DVC's}
    _still: str

    def intact(self) -> bool:
        """Whether the stage's inputs are still what was hashed: only a hard link can be written to from outside."""
        return _status(self.folder, self.md5s) == self._still or all(
            _md5(self.folder / path) == md5 for path, md5 in self.md5s.items()
        )

    def changed(self) -> list[str]:
        """The inputs of which the project's own files are no longer those that the stage worked on."""
        return [p for p, md5 in self.md5s.items() if not (self.root / p).exists() or _md5(self.root / p) != md5]


@contextlib.contextmanager
def enter(root: Path, stage: str, inputs: Iterable[Path], beside: Iterable[str]) -> Iterator[Sandbox]:
    """Makes a stage's folder and works in it. `beside` are paths that it may use besides, as links.

    Raises:
        UserError: the stage runs in this clone already.
    """
    folder = root / ".dvc/tmp/modelmake" / stage
    _hold(folder.with_name(f"{stage}.lock"), stage)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    paths = [path.as_posix() for path in inputs]
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        if (root / path).is_dir():
            shutil.copytree(root / path, folder / path, copy_function=_give, dirs_exist_ok=True)
        else:
            _give(root / path, folder / path)
    for path in beside:
        if not (folder / path).exists() and (root / path).exists():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).symlink_to(root / path)
    still = _status(folder, paths)
    try:
        os.chdir(folder)
        yield Sandbox(folder, root, {path: _md5(folder / path) for path in paths}, still)
    finally:
        os.chdir(root)
        shutil.rmtree(folder, ignore_errors=True)


def _hold(file: Path, stage: str) -> None:
    """Holds a stage's lock in this clone until this process ends, however it ends: the handle is never closed."""

    def busy(holder: str) -> None:
        raise UserError(f"{stage}: process {holder} runs it in this clone: wait for it, or end it")

    locks.acquire(file, busy)


def _give(source: str | Path, target: str | Path) -> None:
    """Copies a small file; links a large one, by name where it is on another disk."""
    source = Path(source).resolve()
    if source.stat().st_size <= COPIED_BYTES:
        shutil.copyfile(source, target)
        return
    try:
        os.link(source, target)
    except OSError:
        os.symlink(source, target)


def _md5(path: Path) -> str:
    return artifacts.measure(path).md5


def _status(folder: Path, paths: Iterable[str]) -> str:
    """By the time of the last change, which nobody can set back."""
    found = [f for path in paths for f in [folder / path, *sorted((folder / path).rglob("*"))]]
    return repr([(s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino) for s in map(os.stat, found)])
