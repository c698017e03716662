"""Proofs of reproducibility: how close each rebuild came to the bytes that dvc.lock records, and on which platform.

Every rebuild adds a line for each stage to a log in the machine's state folder, and its results to `verified.jsonl` in
the project. That file is in git: it gathers the results of several machines and stays with the commit that they are
about.
"""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from modelmake.dvc.graph import Recorded
from modelmake.running import jsonl_log, platform, run_log, state_dir
from modelmake.running.platform import Platform

FILE = "verified.jsonl"  # in the state folder, and in the project
SAME, NEAR, OTHER, NOTHING = "same", "near", "other", "not rebuilt"  # outcomes of one rebuild


@dataclass(frozen=True)
class Proof:
    """One rebuild of one stage; a line of `verified.jsonl`."""

    stage: str
    record: str  # digest of what dvc.lock recorded of the stage
    commit: str
    date: str  # UTC
    stack: Platform  # of the rebuild
    original: Platform | None  # of the run that made the recorded bytes, if this machine's run log has it
    outcome: dict[str, str]  # {artifact: same, near, other or not rebuilt}
    bounds: dict[str, dict[str, float]] = field(default_factory=dict)  # {artifact: largest absolute differences}
    why: str = ""  # the reason if it was not rebuilt


@dataclass(frozen=True)
class Level:
    """What is proven of an artifact: "exact", on two platforms; "exact on this platform"; "exact on another platform";
    "within tolerance" of its bounds; "different"; or "" if nobody rebuilt it as it is recorded now."""

    level: str
    stacks: list[Platform]
    bounds: dict[str, float]


def platforms(root: Path, clone: Path, name: str, node: Recorded) -> tuple[Platform | None, Platform | None]:
    """The platforms of a stage's run in the clone and of the run that made the recorded bytes; None if not logged."""
    rebuilt = [run for run in _runs(clone, name) if run["outcome"] == "done"]
    if not rebuilt:
        return None, None
    outs = {out.path: out.md5 for out in node.outs}
    original = [
        run
        for run in _runs(root, name)
        if run.get("identity") == rebuilt[-1].get("identity")
        and (run["outcome"] == "kept" or (run["outcome"] == "done" and run.get("outs") == outs))
    ]
    return rebuilt[-1].get("stack"), original[-1].get("stack") if original else None


def _runs(root: Path, name: str) -> list[dict[str, Any]]:
    return [run for run in run_log.read(root) if run["stage"] == name]


def save(root: Path, proofs: list[Proof], nodes: dict[str, Recorded]) -> None:
    """Adds proofs to the machine's log and to the project's file.

    The project's file keeps the last proof of each stage and platform, as long as it is about what `nodes` record.
    """
    jsonl_log.append(_machine_log(root), map(_fields, proofs))
    last = {(p.stage, _key(p.stack)): p for p in [*_read(root / FILE), *proofs] if not p.why}
    order = list(nodes)
    current = [p for p in last.values() if p.stage in nodes and p.record == nodes[p.stage].digest]
    current.sort(key=lambda p: order.index(p.stage))
    partial = root / f".{FILE}.partial"
    partial.unlink(missing_ok=True)
    jsonl_log.append(partial, map(_fields, current))
    os.replace(partial, root / FILE)


def last(root: Path, stage: str, record: str) -> Proof | None:
    """The last rebuild of a record of a stage, on any platform."""
    own = [p for p in _all(root) if (p.stage, p.record) == (stage, record) and not p.why]
    return own[-1] if own else None


def levels(root: Path, nodes: dict[str, Recorded]) -> dict[str, Level]:
    """{artifact: level} by the proofs of this machine and of the project."""
    proofs = _all(root)
    here = platform.read({})
    return {
        out.path: _level([p for p in proofs if (p.stage, p.record) == (name, node.digest)], out.path, here)
        for name, node in nodes.items()
        if node.cmd
        for out in node.outs
    }


def _level(proofs: list[Proof], artifact: str, here: Platform) -> Level:
    """The level by the last rebuild on each platform. Differences on this machine count before those elsewhere."""
    last = {_key(p.stack): p for p in proofs if p.outcome.get(artifact, NOTHING) != NOTHING}
    if not last:
        return Level("", [], {})
    own = [p for p in last.values() if all(p.stack[name] == here[name] for name in ("platform", "cpu"))]
    for outcome, level in ((OTHER, "different"), (NEAR, "within tolerance")):
        for proof in own or last.values():
            if proof.outcome[artifact] == outcome:
                return Level(level, [proof.stack], proof.bounds.get(artifact, {}))
    same = [p for p in last.values() if p.outcome[artifact] == SAME]
    stacks = [s for p in same for s in (p.stack, p.original) if s is not None]
    distinct = [s for n, s in enumerate(stacks) if s not in stacks[:n]]
    exact = len(distinct) > 1 and len(same) == len(last)
    return Level("exact" if exact else f"exact on {'this' if own else 'another'} platform", distinct, {})


def _all(root: Path) -> list[Proof]:
    """Every proof of this machine and of the project, oldest first."""
    return sorted([*_read(_machine_log(root)), *_read(root / FILE)], key=lambda proof: proof.date)


def _machine_log(root: Path) -> Path:
    return state_dir.folder(root) / FILE


def _key(values: Platform) -> str:
    return json.dumps(values, sort_keys=True)


def _fields(proof: Proof) -> dict[str, Any]:
    return {name: value for name, value in asdict(proof).items() if value not in ("", {})}


def _read(file: Path) -> list[Proof]:
    return [Proof(**fields) for fields in jsonl_log.read(file)]
