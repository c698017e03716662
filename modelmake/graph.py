"""The resolved graph. The one module that touches DVC's internals (dvc 3.67, held by a contract test)."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modelmake import signature


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


def stale(root: Path, *names: str) -> dict[str, list[Any]]:
    """What `dvc status` calls changed of the named nodes, or of all where none is named, and why; offline.

    Waits for the lock of another DVC process. What is built upon a stale node may still be called fresh.
    """
    from dvc.repo import Repo, lock_repo

    with Repo(str(root), _wait_for_lock=True) as repo, lock_repo(repo):
        addresses = {_name(s): s.addressing for s in repo.index.stages}
        changed = repo.status(targets=[addresses[name] for name in names], check_updates=False)
        return {name: changed[address] for name, address in addresses.items() if address in changed}


def _name(stage: Any) -> str:
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
