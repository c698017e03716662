"""The resolved graph, and what dvc.lock records of it. It, reproduction.py and stores.py alone touch DVC (3.67)."""

import hashlib
import json
import os
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modelmake import signature
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
    needs: tuple[str, ...] = ()  # the stages and .dvc files whose outputs it depends on, by name
    meta: dict[str, Any] = field(default_factory=dict)  # free for tools: what a scheduler reserves

    @property
    def key_file(self) -> str:
        """Where preflight writes this stage's key."""
        return key_file.path_of(self.name)

    @property
    def module(self) -> str:
        """The Python module that the command runs, empty where it runs none."""
        words = shlex.split(self.cmd)
        return words[2] if words[:2] == ["python", "-m"] and len(words) > 2 else ""

    @property
    def flags(self) -> dict[str, str]:
        """The command's flags, without dashes: {"rows": "data/ingested/rows.jsonl"}.

        Raises:
            UserError: what follows the module is not flags with a value each.
        """
        words = shlex.split(self.cmd)[3:]
        if len(words) % 2 or not all(name.startswith("--") for name in words[::2]):
            wanted = "want `python -m MODULE --FLAG VALUE …`"
            raise UserError(f"dvc.yaml: {self.name}: cmd {self.cmd!r}: {wanted}")
        return {name.removeprefix("--"): value for name, value in zip(words[::2], words[1::2], strict=True)}


def stages(root: Path) -> dict[str, Stage]:
    """Every stage of the graph at `root` that has a command, by name, in topological order.

    Raises:
        dvc.exceptions.DvcException: `dvc.yaml` is not valid or its graph has a cycle.
    """
    return {name: stage for name, stage in nodes(root).items() if stage.cmd}


def nodes(root: Path) -> dict[str, Stage]:
    """All that `dvc repro -s` can be asked for, as `stages`: also .dvc files, which have no command."""
    import networkx as nx
    from dvc.dependency import ParamsDependency
    from dvc.repo import Repo, lock_repo

    # without the lock, dvc.lock could be read while another process is in the middle of writing it
    with Repo(str(root), _wait_for_lock=True) as repo, lock_repo(repo):
        graph = repo.index.graph
        return {
            name_of(s): Stage(
                name=name_of(s),
                cmd=s.cmd or "",
                deps=tuple(d.def_path for d in s.deps if not isinstance(d, ParamsDependency)),
                params=tuple(p for d in s.deps if isinstance(d, ParamsDependency) for p in d.params),
                outs=tuple(o.def_path for o in s.outs),
                needs=tuple(sorted(name_of(n) for n in graph.successors(s))),
                meta=s.meta or {},
            )
            for s in nx.dfs_postorder_nodes(graph)
        }


@dataclass(frozen=True)
class Entry:
    """What `dvc.lock`, or a .dvc file, records of one path."""

    path: str  # from the root
    md5: str  # as DVC names artifacts; empty where nothing is recorded
    size: int  # bytes, 0 where not recorded
    cached: bool  # DVC keeps its bytes
    pushed: bool  # and puts them on a remote
    remote: str | None  # the only one it goes to


@dataclass(frozen=True)
class Recorded:
    """What is recorded of one node of the graph, and what of that needs no bytes to be seen as outdated."""

    cmd: str
    outs: tuple[Entry, ...]
    deps: tuple[Entry, ...]  # on this machine: no URLs
    changed: tuple[str, ...]  # "its command", "params.yaml: train.sft modified"
    digest: str  # of all that is recorded of it


def recorded(root: Path) -> dict[str, Recorded]:
    """Every node by name, in topological order.

    Raises:
        UserError: an artifact is recorded in the way of DVC 2, whose hashes are not of the bytes.
        dvc.exceptions.DvcException: `dvc.yaml` or `dvc.lock` is not valid.
    """
    import networkx as nx
    from dvc.repo import Repo, lock_repo

    with Repo(str(root), _wait_for_lock=True) as repo, lock_repo(repo):
        return {name_of(stage): _recorded(stage) for stage in nx.dfs_postorder_nodes(repo.index.graph)}


def _recorded(stage: Any) -> Recorded:
    from dvc.dependency import ParamsDependency, RepoDependency

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

    params = [dep for dep in stage.deps if isinstance(dep, ParamsDependency)]
    outs = tuple(entry(out) for out in stage.outs)
    deps = tuple(
        entry(dep)
        for dep in stage.deps
        if not isinstance(dep, ParamsDependency | RepoDependency) and dep.fs.protocol == "local"
    )
    changed = ["its command"] if getattr(stage, "cmd_changed", False) else []
    for dep in params:
        for file, how in dep.workspace_status().items():
            names = how if isinstance(how, dict) else {"": how}
            changed += [f"{file}: {name} {state}".replace("  ", " ") for name, state in names.items()]
    values = [stage.cmd, [dep.hash_info.value for dep in params], [(e.path, e.md5) for e in (*deps, *outs)]]
    digest = hashlib.sha256(json.dumps(values, sort_keys=True, default=list).encode()).hexdigest()[:16]
    return Recorded(stage.cmd or "", outs, deps, tuple(changed), digest)


def files(root: Path, paths: Iterable[str]) -> dict[str, list[str] | None]:
    """The files in each folder, relative to it, without what .dvcignore names; [""] of a file; None of nothing."""
    from dvc.repo import Repo

    with Repo(str(root)) as repo:
        found: dict[str, list[str] | None] = {}
        for path in paths:
            there = os.path.normpath(os.path.join(repo.root_dir, path))
            if os.path.isdir(there):
                found[path] = sorted(os.path.relpath(file, there) for file in repo.dvcignore.find(repo.fs, there))
            else:
                found[path] = [""] if os.path.lexists(there) else None
        return found


def stale(root: Path, *names: str) -> dict[str, list[Any]]:
    """What `dvc status` calls changed of the named nodes, or of all where none is named, and why; offline.

    Waits for the lock of another DVC process. What is built upon a stale node may still be called fresh.
    """
    from dvc.repo import Repo, lock_repo

    with Repo(str(root), _wait_for_lock=True) as repo, lock_repo(repo):
        addresses = {name_of(s): s.addressing for s in repo.index.stages}
        changed = repo.status(targets=[addresses[name] for name in names], check_updates=False)
        return {name: changed[address] for name, address in addresses.items() if address in changed}


def command_line(cmd: str | list[str] | None) -> str | None:
    return "\n".join(cmd) if isinstance(cmd, list) else cmd


def name_of(stage: Any) -> str:
    """As DVC addresses it from the root, wherever we are: train@sft, other/dvc.yaml:train, data/raw.dvc."""
    name = getattr(stage, "name", None)
    if stage.path_in_repo == "dvc.yaml":
        return name
    return f"{stage.path_in_repo}:{name}" if name else stage.path_in_repo


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
    """How `dvc.yaml` and a stage's `main` differ, in both directions; empty when they agree."""
    wanted_by = signature.read(main)
    where = f"dvc.yaml: {stage.name}"
    if set(stage.flags) != set(wanted_by.flags):
        return [f"{where}: flags {sorted(stage.flags)}: {stage.module}.main wants {sorted(wanted_by.flags)}"]
    names = {name: stage.flags[name] for name in wanted_by.names}
    wanted = {
        "deps": {stage.key_file, *(stage.flags[name] for name in wanted_by.inputs)},
        "outs": {stage.flags[name] for name in wanted_by.outputs},
        "params": {signature.section_of(kind, names) for kind in wanted_by.sections.values()},
    }
    found = {"deps": set(stage.deps), "outs": set(stage.outs), "params": set(stage.params)}
    return [
        f"{where}: {kind} {sorted(found[kind])}: {stage.module}.main wants {sorted(wanted[kind])}"
        for kind in wanted
        if wanted[kind] != found[kind]
    ]
