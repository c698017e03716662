"""Work of stages by what it was built from: what is finished, and checkpoints of what is not. Beside the DVC cache.

Every stage leaves its outputs here before it publishes them. What dvc.lock has come to record is taken away at the next
run of any stage; what it has not (inputs were edited meanwhile, dvc was killed or had no lock) is there for the next
run with the same identity, which publishes it at once. A stage keeps the work of its last two identities, and the
checkpoints of its last two that did not finish. One process at a time works for an identity; a second one waits.

A memo is what a stage leaves to its later runs, by its identity without inputs. One process at a time has it.

An archive is what a stage leaves to all its later runs, and nothing takes it away. Any number of processes have it.
"""

import contextlib
import fcntl
import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from modelmake import artifacts
from modelmake.running import locks, state_dir

KEPT = 2  # identities a stage
MANIFEST = "manifest.json"  # written last: without it nothing is whole


@dataclass(frozen=True)
class Work:
    line: str  # of counts, which the stage returned
    outputs: dict[str, Path]  # {declared path: where it is kept}
    md5s: dict[str, str]  # {declared path: hash, as DVC's}


def keep(root: Path, stage: str, identity: str, outputs: dict[str, Path], line: str) -> Work:
    """Takes over a stage's outputs, files or folders by declared path; its checkpoints go."""
    folder = _folder(root, "finished", stage, identity)
    remove(folder)
    folder.mkdir(parents=True)
    work = Work(line, {path: folder / str(number) for number, path in enumerate(outputs)}, {})
    for path, made in outputs.items():
        shutil.move(made, work.outputs[path])
        work.md5s[path] = artifacts.measure(work.outputs[path]).md5
    partial = folder / f".{MANIFEST}"
    partial.write_text(json.dumps({"line": line, "outs": work.md5s}))
    os.replace(partial, folder / MANIFEST)
    remove(checkpoints(root, stage, identity))
    return work


def listed(root: Path, stage: str, identity: str) -> Work | None:
    """What was kept whole; the bytes that its hashes stand for are not looked at."""
    return _listed(_folder(root, "finished", stage, identity))


def take(root: Path, stage: str, identity: str) -> Work | None:
    """What was kept, if every byte of it is as it was."""
    work = listed(root, stage, identity)
    if work and all(f.exists() and artifacts.measure(f).md5 == work.md5s[path] for path, f in work.outputs.items()):
        return work
    return None


def publish(root: Path, work: Work) -> None:
    """Puts kept outputs in their places: as hard links where the disk is the same, else as copies."""
    for path, source in work.outputs.items():
        final = root / path
        partial = final.with_name(f".{final.name}.partial")
        remove(partial)
        final.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, partial, copy_function=_link)
        else:
            _link(source, partial)
        remove(final)
        os.replace(partial, final)


def checkpoints(root: Path, stage: str, identity: str) -> Path:
    """The folder for an identity's checkpoints; made by whoever writes some."""
    return _folder(root, "checkpoints", stage, identity)


def memo(root: Path, stage: str, identity: str) -> Path | None:
    """The folder for a memo, which this process has to its end; None where another process has it."""
    folder = _folder(root, "memos", stage, identity)

    def busy(holder: str) -> None:
        raise BlockingIOError(holder)

    with contextlib.suppress(BlockingIOError):
        locks.acquire(state_dir.folder(root) / "locks" / f"{stage}.{identity}", busy)
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)  # the newest
        return folder
    return None


def archive(root: Path, module: str) -> Path:
    """The folder for what a stage's module keeps for good; whoever writes there writes a file in one step."""
    return state_dir.folder(root) / "archives" / module.rpartition(".")[2]


def prune(root: Path, stage: str) -> None:
    """Takes away what dvc.lock records of any stage, and of this stage all but the newest; nothing that is in use."""
    lock = root / "dvc.lock"
    recorded = lock.read_text("utf-8") if lock.exists() else ""
    above = state_dir.folder(root)
    for folder in above.glob("finished/*/*"):
        work = _listed(folder)
        if work and all(md5 in recorded for md5 in work.md5s.values()):
            _discard(folder)
    for kind in ("finished", "checkpoints", "memos"):
        newest = sorted((f for f in (above / kind / stage).glob("*") if f.is_dir()), key=lambda f: -f.stat().st_mtime)
        for folder in newest[KEPT:]:
            _discard(folder)


def remove(path: Path) -> None:
    """Removes a file or folder, if there is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def held(root: Path, stage: str, identity: str) -> Iterator[None]:
    """Meanwhile no other process of this machine works for that identity. The lock dies with its process."""
    file = state_dir.folder(root) / "locks" / f"{stage}.{identity}"

    def busy(holder: str) -> None:
        print(f"{stage}: waits for process {holder}, which builds the very same", file=sys.stderr, flush=True)

    while True:
        handle = locks.acquire(file, busy)
        if file.exists() and os.stat(file).st_ino == os.fstat(handle).st_ino:
            break
        os.close(handle)  # whoever held it has taken the file away
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
        os.close(handle)


def _discard(folder: Path) -> None:
    """Removes an identity's work unless somebody is at it."""
    file = folder.parents[2] / "locks" / f"{folder.parent.name}.{folder.name}"
    if file.exists():
        with file.open() as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return
    shutil.rmtree(folder, ignore_errors=True)


def _listed(folder: Path) -> Work | None:
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError):  # not there, or cut short by a loss of power
        return None
    outputs = {path: folder / str(number) for number, path in enumerate(manifest["outs"])}
    return Work(manifest["line"], outputs, manifest["outs"])


def _folder(root: Path, kind: str, stage: str, identity: str) -> Path:
    return state_dir.folder(root) / kind / stage / identity


def _link(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk, or a file system without links
        shutil.copyfile(source, target)
