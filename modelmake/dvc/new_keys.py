"""Records of dvc.lock under the keys that preflight wrote since: the outputs stay those that are recorded."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelmake.dvc import graph, internals
from modelmake.keys import key_file


@dataclass(frozen=True)
class Rekeyed:
    """The record of a stage under its key file as it is now."""

    old_entry: dict[str, Any]  # as dvc.lock has it
    entry: dict[str, Any]  # as dvc.lock will have it
    digest: str  # as graph.Recorded has it
    key: str  # MD5 of the key file


@contextmanager
def recording(root: Path, names: Iterable[str]) -> Iterator[dict[str, Rekeyed]]:
    """The records of stages with their present keys. dvc.lock gets them when the block ends; not if it raises.

    DVC's lock is held meanwhile.
    """
    with internals.repo(root) as repo, internals.locked(repo):
        stages = {internals.name_of(stage): stage for stage in repo.index.stages}
        rekeyed = {name: _rekeyed(name, stages[name]) for name in names}
        yield rekeyed
        internals.write_lock([stages[name] for name in rekeyed])


def _rekeyed(name: str, stage: Any) -> Rekeyed:
    old_entry = internals.lock_entry_as_read(stage)
    key = next(dep for dep in internals.files_of(stage) if dep.def_path == key_file.path_of(name))
    key.save()
    return Rekeyed(old_entry, internals.lock_entry_as_read(stage), graph.record_of(stage).digest, key.hash_info.value)
