"""The folder a stage runs in. It holds the stage's inputs at their own relative paths and nothing else.

A stage therefore reads only its declared inputs, and edits of the project's files meanwhile do not reach it: small
inputs are copied, larger ones hard-linked, and an editor that replaces a file leaves the link as it was. Sandboxes are
in .dvc/tmp/, on the disk of the workspace.
"""

import contextlib
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from modelmake import artifacts
from modelmake.artifacts import Artifact
from modelmake.errors import UserError
from modelmake.running import ignored_files, locks, sandbox_layout

FOLDER = ".dvc/tmp/modelmake"  # of all sandboxes, by stage


@dataclass(frozen=True)
class Sandbox:
    folder: Path
    root: Path  # of the project
    measured: dict[str, Artifact]  # {input: its hashes}
    _status: str  # of the inputs when they were hashed

    @property
    def md5s(self) -> dict[str, str]:
        """{input: hash, as in dvc.lock}."""
        return {path: artifact.md5 for path, artifact in self.measured.items()}

    def intact(self) -> bool:
        """True if the inputs here are still those that were hashed; only a hard link can be written to from outside."""
        return self._untouched() or all(
            artifacts.measure(self.folder / path).md5 == md5 for path, md5 in self.md5s.items()
        )

    def changed(self) -> list[str]:
        """The inputs whose files in the project differ from those in the sandbox.

        A file that is linked here, as weights are, is not read again unless it was touched.
        """
        untouched = self._untouched()
        return [path for path in self.measured if not self._same_in_project(path, untouched)]

    def _untouched(self) -> bool:
        return _file_status(self.folder, self.measured) == self._status

    def _same_in_project(self, path: str, untouched: bool) -> bool:
        here, there, artifact = self.folder / path, self.root / path, self.measured[path]
        if not there.exists():
            return False
        known = {
            name: file
            for name, file in artifact.files.items()
            if untouched and _is_linked(*((p if p.is_file() else p / name) for p in (here, there)))
        }
        return artifacts.measure(there, known).md5 == artifact.md5


def problems(path: str) -> list[str]:
    """Why no stage can have a file or folder as its input, a phrase each."""
    if os.path.normpath(path).split(os.sep)[0] == os.pardir:
        return [f"{path}: outside of the project: want a path in it, or an absolute one"]
    return [*artifacts.unhashed(Path(path)), *ignored_files.problems(Path(path))]


@contextlib.contextmanager
def enter(root: Path, stage: str, inputs: Iterable[Path], links: Iterable[str]) -> Iterator[Sandbox]:
    """Makes a stage's sandbox, changes into it, and removes it at the end. `links` are paths to link to besides.

    Raises:
        UserError: the stage is already running in this clone; or an input has `problems`.
    """
    paths = list(dict.fromkeys(path.as_posix() for path in inputs))  # two inputs may be one file
    if phrases := [f"{stage}: {phrase}" for path in paths for phrase in problems(path)]:
        raise UserError("\n".join(phrases))
    folder = root / FOLDER / stage
    _lock(folder.with_name(f"{stage}.lock"), stage)
    sandbox_layout.fill(folder, root, paths, links)
    status = _file_status(folder, paths)
    try:
        with sandbox_layout.inside(folder, root):
            yield Sandbox(folder, root, sandbox_layout.measured(folder, paths), status)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _lock(file: Path, stage: str) -> None:
    """Locks a stage in this clone until the process ends: the handle is never closed."""

    def busy(process: str) -> None:
        raise UserError(f"{stage}: process {process} runs it in this clone: wait for it, or end it")

    locks.acquire(file, busy)


def _is_linked(here: Path, there: Path) -> bool:
    return there.is_file() and os.path.samefile(here, there)


def _file_status(folder: Path, paths: Iterable[str]) -> str:
    """Sizes, inodes and times of all files. The time of the last change (ctime) cannot be set back."""
    files = [f for path in paths for f in [folder / path, *sorted((folder / path).rglob("*"))]]
    return repr([(s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino) for s in map(os.stat, files)])
