"""A clone of HEAD in which stages are rebuilt, with the recorded bytes of their inputs."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modelmake import artifacts
from modelmake.dvc import graph, stores
from modelmake.dvc.graph import Entry, Recorded
from modelmake.errors import UserError
from modelmake.keys import key_file, locked_packages
from modelmake.running import state_dir, work_store
from modelmake.verifying import rehash
from modelmake.verifying.rehash import Digest
from modelmake.verifying.survey import Listing, join, read_listing

ASIDE = ".rebuilt"  # in the clone: artifacts that came out with other bytes
ENDINGS = signal.SIGTERM, signal.SIGHUP
END_S = 10.0  # after which what does not end, or a folder that cannot be removed, is left


@dataclass
class Clone:
    """The clone, and the project it is of."""

    root: Path  # of the project
    path: Path  # of the project in the clone
    nodes: dict[str, Recorded]  # as committed
    cache: stores.Store  # of the project
    listings: dict[str, Listing] = field(default_factory=dict)
    ready: set[str] = field(default_factory=set)  # artifacts whose recorded bytes are in the clone
    digests: dict[tuple[int, ...], Digest] = field(default_factory=dict)  # by inode, size and times
    worth_keeping: bool = False  # an artifact came out different, or a stage failed

    def digest(self, path: Path) -> Digest | None:
        """The digest of a file; hashed again only if the file changed since, by a time that cannot be set back."""
        try:
            status = path.stat()
        except FileNotFoundError:
            return None
        key = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        if key not in self.digests:
            with path.open("rb") as stream:
                self.digests[key] = rehash.digest(stream)
        return self.digests[key]

    def files(self, *paths: str) -> dict[str, dict[str, str]]:
        """{path: {relative path: MD5}} of files and folders in the clone."""
        return {
            path: {name: self.digest(self.path / join(path, name)).md5 for name in names or []}
            for path, names in graph.files(self.path, paths).items()
        }

    def recorded(self, out: Entry) -> dict[str, Path] | None:
        """{relative path: file with the recorded bytes} in the project's cache or workspace; None if one is missing."""
        if out.path not in self.listings and (listing := self._listing(out)) is not None:
            self.listings[out.path] = listing
        files = {}
        for name, md5 in self.listings.get(out.path, {"": None}).items():
            places = (self.cache.path(md5) if md5 else None, self.root / join(out.path, name))
            good = (p for p in places if p and p.is_file() and md5 and self.digest(p).md5 == md5)
            if (file := next(good, None)) is None:
                return None
            files[name] = file
        return files

    def _listing(self, out: Entry) -> Listing | None:
        if not out.md5.endswith(".dir"):
            return {"": out.md5}
        if (listing := read_listing(self.cache, out.md5)) is not None:
            return listing
        names = graph.files(self.root, [out.path])[out.path] or []
        files = {name: self.digest(self.root / join(out.path, name)).md5 for name in names}
        return files if artifacts.folder_md5(files) == out.md5 else None

    def set_aside(self, out: Entry) -> None:
        """Moves a rebuilt artifact into the folder `ASIDE`."""
        rebuilt, aside = place(self.path, out.path), place(self.path, f"{ASIDE}/{out.path}")
        aside.parent.mkdir(parents=True, exist_ok=True)
        rebuilt.rename(aside)

    def copy_recorded(self, out: Entry) -> bool:
        """Copies the recorded bytes of an artifact into the clone; false if the project does not have all of them."""
        if (files := self.recorded(out)) is None:
            return False
        work_store.remove(place(self.path, out.path))
        for name, source in files.items():
            target = place(self.path, join(out.path, name))
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        return True


def place(clone: Path, path: str) -> Path:
    """Where a clone has a path of the project. Whoever writes or removes there, asks here.

    Raises:
        UserError: the path leads out of the clone, to the user's own file or folder.
    """
    there = Path(os.path.normpath(clone / path))
    if clone.resolve() not in (there.parent.resolve() / there.name).parents:
        raise UserError(f"{path}: outside of the project, so a clone has no copy of it: want a path in the project")
    return there


def check_packages(path: Path, stage: str) -> None:
    """Checks that a stage runs the packages of its clone: an editable folder is imported from the working tree.

    Raises:
        UserError: its key in the clone has a package that is a folder of the repository.
    """
    top, packages = Path(_git(path, "rev-parse", "--show-toplevel")), key_file.read(path, stage).get("packages", {})
    folders = locked_packages.folders(path / "uv.lock") if packages else {}
    if own := sorted(name for name in packages.keys() & folders.keys() if folders[name].is_relative_to(top.resolve())):
        raise UserError(
            f"its key has {', '.join(own)}, a folder of this repository: clones would import the working tree's: "
            "want a wheel of it in uv.lock, or its folder in another repository"
        )


def make(root: Path, cleanup: contextlib.ExitStack, shared: bool = False) -> tuple[Path, Path]:
    """(the clone's folder beside the repository, the project in it); `cleanup` removes the folder.

    Until then SIGTERM and SIGHUP raise SystemExit, so that they leave no clone either.

    The clone has its own DVC cache and its own state of DVC, both empty. With `shared` it has the project's cache, and
    with that the project's finished work, run log and tool environments.

    Raises:
        UserError: git cannot clone the repository, or its parent folder is not writable.
    """
    top = Path(_git(root, "rev-parse", "--show-toplevel"))
    cleanup.enter_context(_signals(lambda number, _: sys.exit(128 + number), *ENDINGS))
    try:
        folder = Path(tempfile.mkdtemp(prefix=f"{top.name}-rebuild-", dir=top.parent))
    except OSError as error:
        raise UserError(f"{top.parent}: {error.strerror}: want to make the folder of a clone there") from error
    cleanup.callback(_remove, folder)
    _git(root, "clone", "-q", str(top), str(folder))
    project = folder / _git(root, "rev-parse", "--show-prefix")
    cache = state_dir.folder(root).parent if shared else "cache"
    config = f"[core]\n    site_cache_dir = {project}/.dvc/tmp/site\n[cache]\n    dir = {cache}\n"
    (project / ".dvc/config.local").write_text(config)
    tools = state_dir.folder(root) / state_dir.TOOL_ENVIRONMENTS
    if not shared and tools.is_dir():  # named by their locks, so they are the same; making them takes minutes
        state_dir.folder(project).mkdir(parents=True)
        (state_dir.folder(project) / state_dir.TOOL_ENVIRONMENTS).symlink_to(tools)
    return folder, project


def check_out(project: Path, commit: str) -> None:
    """Takes a commit into a clone. What was changed, added or built there is gone, but for DVC's own state."""
    _git(project, "checkout", "-qf", commit)
    _git(project, "clean", "-qffdx", "-e", ".dvc/")


def run(command: list[str] | str, path: Path, python: Path, **streams: Any) -> subprocess.CompletedProcess[Any]:
    """Runs a command in a clone, a text in a shell, with the `python` of a folder; `streams` as `subprocess` has them.

    If it is interrupted, all that it started has ended: what still writes there would leave the clone behind.
    """
    process = subprocess.Popen(
        command, shell=isinstance(command, str), cwd=path, env=environment(python), stdin=subprocess.DEVNULL,
        process_group=0, **streams,
    )  # fmt: skip
    try:
        output, errors = process.communicate()
    except BaseException:
        with _signals(signal.SIG_IGN, signal.SIGINT, *ENDINGS):  # another Ctrl-C waits
            _end(process)
        raise
    return subprocess.CompletedProcess(command, process.returncode, output, errors)


def _end(process: subprocess.Popen[Any]) -> None:
    """Ends the group of a process."""
    until = time.monotonic() + END_S
    with contextlib.suppress(ProcessLookupError, PermissionError):  # the second on macOS, of zombies
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        while time.monotonic() < until:
            os.killpg(process.pid, 0)  # an error once all have ended
            time.sleep(0.02)


def _remove(folder: Path) -> None:
    """Removes the folder of a clone, though what was interrupted may still write there."""
    until = time.monotonic() + END_S
    with _signals(signal.SIG_IGN, signal.SIGINT, *ENDINGS):
        while folder.exists():
            shutil.rmtree(folder, ignore_errors=True)
            if time.monotonic() > until:
                print(f"{folder}: a clone that could not be removed: `rm -r {folder}`", file=sys.stderr)
                return
            time.sleep(0.05)


@contextlib.contextmanager
def _signals(action: Any, *numbers: int) -> Iterator[None]:
    """What these signals do in the block; nothing else than before where they are ignored, or in another thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {n: signal.signal(n, action) for n in numbers if signal.getsignal(n) != signal.SIG_IGN}
    try:
        yield
    finally:
        for number, own in before.items():
            signal.signal(number, own)


def environment(python: Path) -> dict[str, str]:
    """The variables of a command in a clone that takes its `python` from a folder.

    In a hook git names its own repository in variables, which would be taken for that of any folder.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DVC_", "GIT_"))}
    for name in ("PYTHONPATH", "MODELMAKE_TRACK"):  # it may name the project; this is no run of the user's
        kept.pop(name, None)
    return {**kept, "PATH": f"{python}{os.pathsep}{os.environ['PATH']}"}


def _git(root: Path, *arguments: str) -> str:
    variables = environment(Path(sys.executable).parent)
    result = subprocess.run(["git", *arguments], cwd=root, env=variables, capture_output=True, text=True)
    if result.returncode:
        raise UserError(f"git {arguments[0]}: {' '.join(result.stderr.split())}: want a clone of HEAD")
    return result.stdout.strip()
