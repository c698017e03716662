"""The facts by which `dvc repro` decides: the workspace beside dvc.lock and the run-cache, read as DVC reads them."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelmake.artifacts import Files, files_md5
from modelmake.dvc import internals
from modelmake.dvc.cache import Cache
from modelmake.dvc.internals import name_of
from modelmake.errors import UserError


@dataclass(frozen=True)
class Node:
    """A stage or .dvc file, recorded and now. Paths are relative to the root."""

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
    """The records of a project. DVC's lock is held only while dvc.lock is read: a stage that ends waits 3 s for it.

    Raises:
        UserError: `dvc repro` refuses the graph; in DVC's words.
    """
    with internals.repo(root) as repo:
        with internals.locked(repo):
            records = Records(repo)
        yield records


class Records:
    """dvc.lock, the workspace, the cache and the run-cache, read as `dvc repro` reads them; nothing is changed."""

    def __init__(self, repo: Any) -> None:
        self._repo, self.cache = repo, Cache(Path(repo.cache.legacy.path))
        self._params: dict[str, Any] = {}  # parameter file -> its values
        self._locks: dict[str, Any] = {}  # dvc.yaml -> as DVC loads it, with its dvc.lock
        self._stages = {name_of(stage): stage for stage in internals.build_order(repo)}
        self.nodes = {name: self._node(name, stage) for name, stage in self._stages.items()}

    def files(self, path: str) -> Files | None:
        """The files at a path of the workspace; None where there is nothing."""
        absolute = os.path.join(self._repo.root_dir, path)
        return internals.workspace_hashes(self._repo, absolute) if os.path.exists(absolute) else None

    def entry(self, name: str, deps: Mapping[str, Files]) -> dict[str, Any]:
        """The dvc.lock entry of a stage after a run with these inputs and today's parameters; outs as recorded."""
        stage = self._stages[name]
        md5s = {dep.def_path: files_md5(deps[self._path(dep)]) for dep in internals.files_of(stage)}
        params = {dep.def_path: self._values(dep) for dep in internals.params_of(stage)}
        return internals.lock_entry(stage, md5s, params)

    def restorable(self, name: str, deps: Mapping[str, Files]) -> dict[str, str] | None:
        """{out: MD5} of the run-cache's run with these inputs; None where it has none."""
        if not self._in_run_cache(name):
            return None
        entry = self.cache.run(internals.run_cache_key(self.entry(name, deps)))
        return self._outs(name, entry) if entry else None

    def similar(self, name: str, deps: Mapping[str, Files]) -> Iterator[dict[str, str]]:
        """{out: MD5} of each run in the run-cache with this command, these parameters and these of its inputs."""
        stage = self._stages[name]
        fixed = {dep.def_path: files_md5(deps[self._path(dep)]) for dep in stage.deps if self._path(dep) in deps}
        params = {dep.def_path: self._values(dep) for dep in internals.params_of(stage)}
        for entry in self.cache.runs(stage.outs[0].def_path, *fixed.values()) if self._in_run_cache(name) else ():
            recorded = {dep["path"]: dep["md5"] for dep in entry.get("deps", [])}
            same = entry.get("cmd") == stage.cmd and entry.get("params", {}) == params
            if same and fixed.items() <= recorded.items() and (outs := self._outs(name, entry)):
                yield outs

    def _outs(self, name: str, entry: dict[str, Any]) -> dict[str, str] | None:
        recorded = {out["path"]: out["md5"] for out in entry.get("outs", [])}
        outs = {self._path(out): recorded.get(out.def_path) for out in self._stages[name].outs}
        return outs if len(outs) == len(recorded) and all(outs.values()) else None

    def _in_run_cache(self, name: str) -> bool:
        """True for a stage that DVC looks up in the run-cache; its `_can_hash`, without a look at the inputs."""
        stage = self._stages[name]
        outs = all(out.protocol == "local" and not out.persist and out.is_in_repo for out in stage.outs)
        return bool(stage.cmd and stage.deps and stage.outs and outs and not self.nodes[name].always)

    def _recorded_cmd(self, stage: Any) -> Any:
        if not any(entry.hash_info for entry in (*stage.deps, *stage.outs)):
            return None
        if not (stage.cmd and stage.changed_stage()):
            return stage.cmd
        lock = self._locks.setdefault(stage.path, stage.dvcfile).lockfile_contents  # parsing is slow
        return lock["stages"][stage.name]["cmd"]

    def _values(self, dep: Any) -> dict[str, Any]:
        """{dotted section: value now} of a stage's part of a parameter file, which is parsed once for all stages."""
        if not dep.exists:
            raise UserError(f"{dep.def_path}: no such file: want parameters there")
        if not dep.params:
            return internals.param_values(self._repo, dep.fs_path, None)
        if dep.fs_path not in self._params:
            deps = [other for stage in self._stages.values() for other in stage.deps if other.fs_path == dep.fs_path]
            names = [name for other in deps for name in getattr(other, "params", ())]
            self._params[dep.fs_path] = internals.param_values(self._repo, dep.fs_path, names)
        values = self._params[dep.fs_path]
        if missing := [name for name in dep.params if name not in values]:
            raise UserError(f"{dep.def_path}: {', '.join(missing)}: missing: want this section")
        return {name: values[name] for name in dep.params}

    def _path(self, dep_or_out: Any) -> str:
        return os.path.relpath(dep_or_out.fs_path, self._repo.root_dir)

    def _node(self, name: str, stage: Any) -> Node:
        params, recorded = {}, {}
        for dep in internals.params_of(stage):
            prefix = "" if dep.def_path == dep.DEFAULT_PARAMS_FILE else f"{dep.def_path}:"
            params |= {f"{prefix}{section}": value for section, value in self._values(dep).items()}
            recorded |= {f"{prefix}{section}": value for section, value in (dep.hash_info.value or {}).items()}
        return Node(
            name=name,
            cmd=_one_text(stage.cmd),
            recorded_cmd=_one_text(self._recorded_cmd(stage)),
            deps={self._path(dep): dep.hash_info.value for dep in internals.files_of(stage) if stage.cmd},
            outs={self._path(out): out.hash_info.value for out in stage.outs},
            sizes={self._path(out): out.meta.size for out in stage.outs if out.meta and out.meta.size is not None},
            uncached=frozenset(self._path(out) for out in stage.outs if not out.use_cache),
            params=params,
            recorded_params=recorded,
            meta=stage.meta or {},
            frozen=bool(stage.frozen),
            always=bool(stage.is_callback or stage.always_changed),
        )


def _one_text(cmd: str | list[str] | None) -> str | None:
    """A command that may be a list of commands, as one text."""
    return "\n".join(cmd) if isinstance(cmd, list) else cmd
