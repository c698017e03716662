"""The resolved graph. With stores.py the one module that touches DVC's internals (dvc 3.67, held by contract tests)."""

import hashlib
import json
import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modelmake import signature
from modelmake.cache import Cache, Files, md5
from modelmake.errors import UserError


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
        return f"keys/{self.name.replace('@', '.')}.json"

    @property
    def module(self) -> str:
        """The Python module that the command runs, empty where it runs none."""
        words = shlex.split(self.cmd)
        return words[2] if words[:2] == ["python", "-m"] and len(words) > 2 else ""

    @property
    def flags(self) -> dict[str, str]:
        """The command's flags, without dashes: {"rows": "data/ingested/rows.jsonl"}."""
        words = shlex.split(self.cmd)[3:]
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
            _name(s): Stage(
                name=_name(s),
                cmd=s.cmd or "",
                deps=tuple(d.def_path for d in s.deps if not isinstance(d, ParamsDependency)),
                params=tuple(p for d in s.deps if isinstance(d, ParamsDependency) for p in d.params),
                outs=tuple(o.def_path for o in s.outs),
                needs=tuple(sorted(_name(n) for n in graph.successors(s))),
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
        return {_name(stage): _recorded(stage) for stage in nx.dfs_postorder_nodes(repo.index.graph)}


def _recorded(stage: Any) -> Recorded:
    from dvc.dependency import ParamsDependency, RepoDependency

    def entry(out: Any) -> Entry:
        path = os.path.relpath(out.fs_path, out.repo.root_dir)
        if out.hash_name != "md5":
            raise UserError(f"{_name(stage)}: {path}: hashed as by DVC 2: run `dvc cache migrate --dvc-files` first")
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
        addresses = {_name(s): s.addressing for s in repo.index.stages}
        changed = repo.status(targets=[addresses[name] for name in names], check_updates=False)
        return {name: changed[address] for name, address in addresses.items() if address in changed}


def _line(cmd: str | list[str] | None) -> str | None:
    return "\n".join(cmd) if isinstance(cmd, list) else cmd


def _name(stage: Any) -> str:
    """As DVC addresses it from the root, wherever we are: train@sft, other/dvc.yaml:train, data/raw.dvc."""
    name = getattr(stage, "name", None)
    if stage.path_in_repo == "dvc.yaml":
        return name
    return f"{stage.path_in_repo}:{name}" if name else stage.path_in_repo


@dataclass(frozen=True)
class Node:
    """What `dvc repro` decides by about a stage or .dvc file. Paths are relative to the root."""

    name: str
    cmd: str | None  # None: a .dvc file
    recorded_cmd: str | None
    deps: dict[str, str | None]  # -> MD5 as recorded, None where nothing is
    outs: dict[str, str | None]
    sizes: dict[str, int]  # of outs as recorded, bytes
    uncached: frozenset[str]  # outs with `cache: false`
    params: dict[str, Any]  # dotted section, after `file:` where that is not params.yaml -> value now
    recorded_params: dict[str, Any]
    meta: dict[str, Any]
    frozen: bool  # never runs
    always: bool  # runs at every `dvc repro`


@contextmanager
def reading(root: Path) -> Iterator["Records"]:
    """What DVC knows of the graph; its lock is held only while dvc.lock is read: a stage that ends waits 3 s for it.

    Raises:
        UserError: the graph is one that `dvc repro` refuses, in DVC's words.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo, lock_repo

    try:
        with Repo(str(root), _wait_for_lock=True) as repo:
            with lock_repo(repo):
                records = Records(repo)
            yield records
    except DvcException as error:
        raise UserError(str(error)) from error


class Records:
    """dvc.lock, the workspace, the cache and the run-cache, read as `dvc repro` reads them; nothing is changed."""

    def __init__(self, repo: Any) -> None:
        from dvc.repo.reproduce import get_active_graph, plan_repro

        self._repo, self.cache = repo, Cache(Path(repo.cache.legacy.path))
        self._params: dict[str, Any] = {}  # parameter file -> its values
        self._locks: dict[str, Any] = {}  # dvc.yaml -> as DVC loads it, with its dvc.lock
        targets = [stage for stage in repo.index.stages if stage.path_in_repo == "dvc.yaml"]
        order = plan_repro(get_active_graph(repo.index.graph), targets)
        self._stages = {_name(stage): stage for stage in order}
        self.nodes = {name: self._node(name, stage) for name, stage in self._stages.items()}

    def files(self, path: str) -> Files | None:
        """What the workspace holds at a path, None where there is nothing; hashed where DVC's state has no hash."""
        from dvc_data.hashfile.build import build
        from dvc_data.hashfile.tree import Tree

        where = os.path.join(self._repo.root_dir, path)
        if not os.path.exists(where):
            return None
        _, _, found = build(
            self._repo.cache.local, where, self._repo.fs, "md5", ignore=self._repo.dvcignore, dry_run=True
        )
        if isinstance(found, Tree):
            return {"/".join(key): hashed.value for key, _, hashed in found}
        return {"": found.hash_info.value}

    def entry(self, name: str, deps: Mapping[str, Files]) -> dict[str, Any]:
        """The entry of dvc.lock of a stage that ran with these inputs and the parameters of now; outs as recorded."""
        from dvc.dependency import ParamsDependency
        from dvc.stage.serialize import to_single_stage_lockfile
        from dvc_data.hashfile.hash_info import HashInfo
        from dvc_data.hashfile.meta import Meta

        stage = self._stages[name]
        for dep in stage.deps:
            if isinstance(dep, ParamsDependency):
                dep.hash_info = HashInfo(dep.hash_name, self._values(dep))
            else:
                executable = os.path.isfile(dep.fs_path) and os.stat(dep.fs_path).st_mode & 0o111
                dep.hash_info, dep.meta = HashInfo("md5", md5(deps[self._path(dep)])), Meta(isexec=bool(executable))
        return to_single_stage_lockfile(stage)

    def restorable(self, name: str, deps: Mapping[str, Files]) -> dict[str, str] | None:
        """{out: MD5} of the run that the run-cache holds for these inputs; None where it holds none."""
        from dvc.stage.cache import _get_cache_hash

        if not self._in_run_cache(name):
            return None
        entry = self.cache.run(_get_cache_hash(self.entry(name, deps), key=True))
        return self._outs(name, entry) if entry else None

    def similar(self, name: str, deps: Mapping[str, Files]) -> Iterator[dict[str, str]]:
        """{out: MD5} of all runs in the run-cache that had this command, these parameters and, where given, inputs."""
        from dvc.dependency import ParamsDependency

        stage = self._stages[name]
        given = {dep.def_path: md5(deps[self._path(dep)]) for dep in stage.deps if self._path(dep) in deps}
        params = {dep.def_path: self._values(dep) for dep in stage.deps if isinstance(dep, ParamsDependency)}
        for entry in self.cache.runs(stage.outs[0].def_path, *given.values()) if self._in_run_cache(name) else ():
            found = {dep["path"]: dep["md5"] for dep in entry.get("deps", [])}
            same = entry.get("cmd") == stage.cmd and entry.get("params", {}) == params
            if same and given.items() <= found.items() and (outs := self._outs(name, entry)):
                yield outs

    def _outs(self, name: str, entry: dict[str, Any]) -> dict[str, str] | None:
        recorded = {out["path"]: out["md5"] for out in entry.get("outs", [])}
        outs = {self._path(out): recorded.get(out.def_path) for out in self._stages[name].outs}
        return outs if len(outs) == len(recorded) and all(outs.values()) else None

    def _in_run_cache(self, name: str) -> bool:
        """Whether DVC looks for this stage there: `_can_hash` of dvc.stage.cache, but for what the inputs are."""
        stage = self._stages[name]
        outs = all(out.protocol == "local" and not out.persist and out.is_in_repo for out in stage.outs)
        return bool(stage.cmd and stage.deps and stage.outs and outs and not self.nodes[name].always)

    def _recorded_cmd(self, stage: Any) -> Any:
        if not any(known.hash_info for known in (*stage.deps, *stage.outs)):
            return None
        if not (stage.cmd and stage.changed_stage()):
            return stage.cmd
        lock = self._locks.setdefault(stage.path, stage.dvcfile).lockfile_contents  # parsing is slow
        return lock["stages"][stage.name]["cmd"]

    def _values(self, dep: Any) -> dict[str, Any]:
        """{dotted section: value now} of a stage's part of a parameter file, which is parsed once for all stages."""
        from dvc.dependency.param import read_param_file

        if not dep.exists:
            raise UserError(f"{dep.def_path}: no such file: want parameters there")
        if not dep.params:
            return read_param_file(self._repo.fs, dep.fs_path)
        if dep.fs_path not in self._params:
            deps = [other for stage in self._stages.values() for other in stage.deps if other.fs_path == dep.fs_path]
            names = [name for other in deps for name in getattr(other, "params", ())]
            self._params[dep.fs_path] = read_param_file(self._repo.fs, dep.fs_path, names, flatten=True)
        values = self._params[dep.fs_path]
        if missing := [name for name in dep.params if name not in values]:
            raise UserError(f"{dep.def_path}: {', '.join(missing)}: missing: want this section")
        return {name: values[name] for name in dep.params}

    def _path(self, dep_or_out: Any) -> str:
        return os.path.relpath(dep_or_out.fs_path, self._repo.root_dir)

    def _node(self, name: str, stage: Any) -> Node:
        from dvc.dependency import ParamsDependency

        params, recorded = {}, {}
        deps = [dep for dep in stage.deps if not isinstance(dep, ParamsDependency) and stage.cmd]
        for dep in stage.deps:
            if isinstance(dep, ParamsDependency):
                prefix = "" if dep.def_path == dep.DEFAULT_PARAMS_FILE else f"{dep.def_path}:"
                params |= {f"{prefix}{section}": value for section, value in self._values(dep).items()}
                recorded |= {f"{prefix}{section}": value for section, value in (dep.hash_info.value or {}).items()}
        return Node(
            name=name,
            cmd=_line(stage.cmd),
            recorded_cmd=_line(self._recorded_cmd(stage)),
            deps={self._path(dep): dep.hash_info.value for dep in deps},
            outs={self._path(out): out.hash_info.value for out in stage.outs},
            sizes={self._path(out): out.meta.size for out in stage.outs if out.meta and out.meta.size is not None},
            uncached=frozenset(self._path(out) for out in stage.outs if not out.use_cache),
            params=params,
            recorded_params=recorded,
            meta=stage.meta or {},
            frozen=bool(stage.frozen),
            always=bool(stage.is_callback or stage.always_changed),
        )


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
