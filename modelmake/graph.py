"""The resolved graph. The one module that touches DVC's internals (dvc 3.67, held by a contract test)."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
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
    import networkx as nx
    from dvc.dependency import ParamsDependency
    from dvc.repo import Repo

    with Repo(str(root)) as repo:
        order = [s for s in nx.dfs_postorder_nodes(repo.index.graph) if s.cmd]
        return {
            s.name: Stage(
                name=s.name,
                cmd=s.cmd,
                deps=tuple(d.def_path for d in s.deps if not isinstance(d, ParamsDependency)),
                params=tuple(p for d in s.deps if isinstance(d, ParamsDependency) for p in d.params),
                outs=tuple(o.def_path for o in s.outs),
            )
            for s in order
        }


def machine_folder(root: Path) -> Path:
    """Where what belongs to this machine and to no artifact lives: the run log, the tools' environments.

    Inside the DVC cache, which the temporary workspaces of `dvc exp run --temp` and `--queue` share.
    """
    from dvc.config import Config

    folder = root / ".dvc"
    return Path(Config(dvc_dir=str(folder))["cache"].get("dir") or folder / "cache").absolute() / "modelmake"


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
