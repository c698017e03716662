"""What `dvc repro` goes by: the workspace, and what dvc.lock and the run-cache hold of it, as DVC reads them."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelmake.artifacts import Files, files_md5
from modelmake.dvc.cache import Cache
from modelmake.dvc.graph import command_line, name_of
from modelmake.errors import UserError


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
        self._stages = {name_of(stage): stage for stage in order}
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
                dep.hash_info, dep.meta = (
                    HashInfo("md5", files_md5(deps[self._path(dep)])),
                    Meta(isexec=bool(executable)),
                )
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
        given = {dep.def_path: files_md5(deps[self._path(dep)]) for dep in stage.deps if self._path(dep) in deps}
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
            cmd=command_line(stage.cmd),
            recorded_cmd=command_line(self._recorded_cmd(stage)),
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
