"""Store of finished outputs and checkpoints, addressed by the hash of command, inputs and parameters (the identity).

Every stage saves its outputs here before it publishes them. Outputs that dvc.lock records are removed at the next run
of any stage. Outputs that it does not record (an input was edited meanwhile, dvc was killed or could not get its lock)
stay for the next run with the same identity, which publishes them at once. A stage keeps the outputs of its last two
identities, and the checkpoints of its last two that did not finish. One process at a time works on an identity; a
second one waits.

A memo is a folder that a stage leaves to its later runs, addressed by its identity without inputs. One process at a
time has it.

An archive is a folder that a stage leaves to all its later runs. It is never removed; any number of processes use it.

The store is in the per-machine state folder.
"""

import contextlib
import json
import math
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from modelmake import artifacts
from modelmake.running import locks, state_dir, work_folders
from modelmake.running.work_folders import CHECKPOINTS, FINISHED, LOCKS, MEMOS

KEPT_IDENTITIES = 2  # of each stage
MANIFEST = "manifest.json"  # written last: outputs without it are incomplete


@dataclass(frozen=True)
class Work:
    """The finished outputs of a stage."""

    line: str  # of counts, returned by the stage
    outputs: dict[str, Path]  # {declared path: path in the store}
    md5s: dict[str, str]  # {declared path: hash, as in dvc.lock}


def save(root: Path, stage: str, identity: str, outputs: dict[str, Path], line: str) -> Work:
    """Moves a stage's outputs ({declared path: file or folder}) into the store and removes its checkpoints."""
    folder = work_folders.folder(root, FINISHED, stage, identity)
    remove(folder)
    folder.mkdir(parents=True)
    work = Work(line, {path: folder / str(number) for number, path in enumerate(outputs)}, {})
    for path, output in outputs.items():
        shutil.move(output, work.outputs[path])
        work.md5s[path] = artifacts.measure(work.outputs[path]).md5
    partial = folder / f".{MANIFEST}"
    partial.write_text(json.dumps({"line": line, "outs": work.md5s}))
    os.replace(partial, folder / MANIFEST)
    remove(work_folders.folder(root, CHECKPOINTS, stage, identity))
    return work


def find(root: Path, stage: str, identity: str) -> Work | None:
    """The finished outputs, not checked against their hashes; None if there are none or they are incomplete."""
    return _read_manifest(work_folders.folder(root, FINISHED, stage, identity))


def load(root: Path, stage: str, identity: str) -> Work | None:
    """The finished outputs, hashed again; None if there are none or a byte has changed."""
    work = find(root, stage, identity)
    if work and all(f.exists() and artifacts.measure(f).md5 == work.md5s[path] for path, f in work.outputs.items()):
        return work
    return None


def has_work(root: Path, stage: str) -> bool:
    """True if there may be finished outputs or checkpoints of a stage."""
    return any((state_dir.folder(root) / kind / stage).is_dir() for kind in (FINISHED, CHECKPOINTS))


def publish(root: Path, work: Work) -> None:
    """Puts outputs at their declared paths: hard links on the same disk, else copies."""
    for path, source in work.outputs.items():
        target = root / path
        partial = target.with_name(f".{target.name}.partial")
        remove(partial)
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, partial, copy_function=link_or_copy)
        else:
            link_or_copy(source, partial)
        remove(target)
        os.replace(partial, target)


def lock_memo(root: Path, stage: str, identity: str) -> bool:
    """Locks a memo until this process ends; false while another process has it."""
    folder = work_folders.folder(root, MEMOS, stage, identity)
    with contextlib.suppress(BlockingIOError):
        locks.acquire(_lock_file(state_dir.folder(root), stage, identity), _refuse)
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)  # now the newest
        return True
    return False


def prune(root: Path, stage: str) -> None:
    """Removes outputs of any stage that dvc.lock records, and all but the newest of this stage; nothing in use."""
    dvc_lock = root / "dvc.lock"
    recorded = dvc_lock.read_text("utf-8") if dvc_lock.exists() else ""
    state = state_dir.folder(root)
    for folder in state.glob(f"{FINISHED}/*/*"):
        work = _read_manifest(folder)
        if work and all(md5 in recorded for md5 in work.md5s.values()):
            _discard(folder)
    for kind in (FINISHED, CHECKPOINTS, MEMOS):
        newest = sorted((f for f in (state / kind / stage).glob("*") if f.is_dir()), key=_age)
        for folder in newest[KEPT_IDENTITIES:]:
            _discard(folder)


def remove(path: Path) -> None:
    """Removes a file, link or folder, if there is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def link_or_copy(source: str | Path, target: str | Path) -> None:
    """Makes `target` a hard link to a file, or a copy on another disk and where there are no links."""
    try:
        os.link(os.path.realpath(source), target)
    except OSError:
        with contextlib.suppress(shutil.SameFileError):  # it is one already
            shutil.copyfile(source, target)


@contextlib.contextmanager
def lock(root: Path, stage: str, identity: str) -> Iterator[None]:
    """Lets one process of this machine at a time work on an identity; others wait. The lock ends with its process."""
    file = _lock_file(state_dir.folder(root), stage, identity)

    def busy(process: str) -> None:
        print(f"{stage}: waits for process {process}, which builds the same outputs", file=sys.stderr, flush=True)

    handle = locks.acquire(file, busy)
    try:
        yield
    finally:
        locks.release(file, handle)


def _discard(folder: Path) -> None:
    """Removes an identity's outputs, checkpoints or memo, locked meanwhile, unless a process has it locked."""
    file = _lock_file(folder.parents[2], folder.parent.name, folder.name)
    with contextlib.suppress(BlockingIOError):
        handle = locks.acquire(file, _refuse)
        shutil.rmtree(folder, ignore_errors=True)
        locks.release(file, handle)


def _age(folder: Path) -> float:
    """A number that is the less the newer a folder is; the greatest for one that another process removed."""
    try:
        return -folder.stat().st_mtime
    except FileNotFoundError:
        return math.inf


def _refuse(process: str) -> None:
    raise BlockingIOError(process)


def _read_manifest(folder: Path) -> Work | None:
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError):  # absent, or cut short by a loss of power
        return None
    outputs = {path: folder / str(number) for number, path in enumerate(manifest["outs"])}
    return Work(manifest["line"], outputs, manifest["outs"])


def _lock_file(state: Path, stage: str, identity: str) -> Path:
    return state / LOCKS / f"{stage}.{identity}"
