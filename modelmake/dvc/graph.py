"""The resolved graph of dvc.yaml, and dvc.lock's record of it."""

import hashlib
import json
import os
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modelmake import signature
from modelmake.dvc import internals
from modelmake.dvc.internals import name_of
from modelmake.errors import UserError
from modelmake.keys import key_file


@dataclass(frozen=True)
class Stage:
    """One resolved stage of `dvc.yaml`: templates, `foreach` and `matrix` filled in. Paths are relative."""

    name: str  # as DVC addresses it: train@sft
    cmd: str
    deps: tuple[str, ...]
    params: tuple[str, ...]  # dotted sections of params.yaml
    outs: tuple[str, ...]
    needs: tuple[str, ...] = ()  # names of the stages and .dvc files that make its dependencies
    meta: dict[str, Any] = field(default_factory=dict)  # what a scheduler reserves

    @property
    def key_file(self) -> str:
        """The path of this stage's key."""
        return key_file.path_of(self.name)

    @property
    def module(self) -> str:
        """The Python module that the command runs; "" for any other command."""
        words = shlex.split(self.cmd)
        return words[2] if words[:2] == ["python", "-m"] and len(words) > 2 else ""

    @property
    def flags(self) -> dict[str, str]:
        """The command's flags, without dashes: {"rows": "data/ingested/rows.jsonl"}.

        Raises:
            UserError: the module is followed by something else than flags with a value each.
        """
        words = shlex.split(self.cmd)[3:]
        if len(words) % 2 or not all(name.startswith("--") for name in words[::2]):
            wanted = "want `python -m MODULE --FLAG VALUE …`"
            raise UserError(f"dvc.yaml: {self.name}: cmd {self.cmd!r}: {wanted}")
        return {name.removeprefix("--"): value for name, value in zip(words[::2], words[1::2], strict=True)}


def stages(root: Path) -> dict[str, Stage]:
    """Every stage that has a command, by name, in topological order.

    Raises:
        UserError: `dvc.yaml` is not valid, or its graph has a cycle.
    """
    return {name: stage for name, stage in nodes(root).items() if stage.cmd}


def nodes(root: Path) -> dict[str, Stage]:
    """Every target of `dvc repro -s`: the stages, and .dvc files as stages without a command."""
    with internals.repo(root) as repo, internals.locked(repo):
        graph = repo.index.graph
        return {
            name_of(stage): Stage(
                name=name_of(stage),
                cmd=stage.cmd or "",
                deps=tuple(dep.def_path for dep in internals.files_of(stage)),
                params=tuple(name for dep in internals.params_of(stage) for name in dep.params),
                outs=tuple(out.def_path for out in stage.outs),
                needs=tuple(sorted(name_of(maker) for maker in graph.successors(stage))),
                meta=stage.meta or {},
            )
            for stage in internals.topological(repo)
        }


@dataclass(frozen=True)
class Entry:
    """The record of one path in dvc.lock or a .dvc file."""

    path: str  # from the root
    md5: str  # as DVC names artifacts; "" where nothing is recorded
    size: int  # bytes, 0 where not recorded
    cached: bool  # DVC keeps its bytes
    pushed: bool  # and puts them on a remote
    remote: str | None  # the only one it goes to


@dataclass(frozen=True)
class Recorded:
    """The record of one node of the graph, and the changes since that can be seen without reading files."""

    cmd: str
    outs: tuple[Entry, ...]
    deps: tuple[Entry, ...]  # on this machine: no URLs
    changed: tuple[str, ...]  # "its command", "params.yaml: train.sft modified"
    digest: str  # of the whole record


def recorded(root: Path) -> dict[str, Recorded]:
    """The record of every node by name, in topological order.

    Raises:
        UserError: `dvc.yaml` or `dvc.lock` is not valid, or an artifact was recorded by DVC 2, whose hashes are not
            those of the bytes.
    """
    with internals.repo(root) as repo, internals.locked(repo):
        return {name_of(stage): record_of(stage) for stage in internals.topological(repo)}


def record_of(stage: Any) -> Recorded:
    """The record that one of DVC's stages has loaded."""

    def entry(out: Any) -> Entry:
        path = os.path.relpath(out.fs_path, out.repo.root_dir)
        if out.hash_info.value and out.hash_name != "md5":
            raise UserError(f"{name_of(stage)}: {path}: hashed as by DVC 2: run `dvc cache migrate --dvc-files` first")
        return Entry(
            path=path,
            md5=out.hash_info.value or "",
            size=out.meta.size or 0,
            cached=out.use_cache,
            pushed=out.use_cache and out.can_push and not stage.is_repo_import,
            remote=out.remote,
        )

    params = internals.params_of(stage)
    outs = tuple(entry(out) for out in stage.outs)
    deps = tuple(entry(dep) for dep in internals.files_of(stage) if internals.is_local(dep))
    changed = ["its command"] if getattr(stage, "cmd_changed", False) else []
    for dep in params:
        for file, status in dep.workspace_status().items():
            names = status if isinstance(status, dict) else {"": status}
            changed += [f"{file}: {name} {state}".replace("  ", " ") for name, state in names.items()]
    values = [stage.cmd, [dep.hash_info.value for dep in params], [(e.path, e.md5) for e in (*deps, *outs)]]
    digest = hashlib.sha256(json.dumps(values, sort_keys=True, default=list).encode()).hexdigest()[:16]
    return Recorded(stage.cmd or "", outs, deps, tuple(changed), digest)


def files(root: Path, paths: Iterable[str]) -> dict[str, list[str] | None]:
    """{path: its files, relative to it}, without those that .dvcignore names; [""] for a file, None for nothing."""
    with internals.repo(root) as repo:
        result: dict[str, list[str] | None] = {}
        for path in paths:
            absolute = os.path.normpath(os.path.join(repo.root_dir, path))
            if os.path.isdir(absolute):
                listed = repo.dvcignore.find(repo.fs, absolute)
                result[path] = sorted(os.path.relpath(file, absolute) for file in listed)
            else:
                result[path] = [""] if os.path.lexists(absolute) else None
        return result


def stale(root: Path, *names: str) -> dict[str, list[Any]]:
    """{node: changes} as `dvc status` reports them, of the named nodes or of all; offline.

    It waits for the lock of another DVC process. A node downstream of a stale one may still be missing here.
    """
    with internals.repo(root) as repo, internals.locked(repo):
        addresses = {name_of(stage): stage.addressing for stage in repo.index.stages}
        status = repo.status(targets=[addresses[name] for name in names], check_updates=False)
        return {name: status[address] for name, address in addresses.items() if address in status}


def described(stages: dict[str, Stage]) -> dict[str, dict[str, Any]]:
    """The graph as plain values, sorted: {stage: {module, deps, outs, params}}."""
    return {
        name: {
            "module": stage.module,
            "deps": sorted(stage.deps), "outs": sorted(stage.outs), "params": sorted(stage.params),
        }
        for name, stage in sorted(stages.items())
    }  # fmt: skip


def mismatches(stage: Stage, main: Callable[..., str]) -> list[str]:
    """The differences between a stage in `dvc.yaml` and its `main`, in both directions, a line each."""
    interface = signature.read(main)
    where = f"dvc.yaml: {stage.name}"
    if set(stage.flags) != set(interface.flags):
        return [f"{where}: flags {sorted(stage.flags)}: {stage.module}.main wants {sorted(interface.flags)}"]
    names = {name: stage.flags[name] for name in interface.names}
    expected = {
        "deps": {stage.key_file, *(stage.flags[name] for name in interface.inputs)},
        "outs": {stage.flags[name] for name in interface.outputs},
        "params": {signature.section_of(kind, names) for kind in interface.sections.values()},
    }
    declared = {"deps": set(stage.deps), "outs": set(stage.outs), "params": set(stage.params)}
    return [
        f"{where}: {kind} {sorted(declared[kind])}: {stage.module}.main wants {sorted(expected[kind])}"
        for kind in expected
        if expected[kind] != declared[kind]
    ]
