"""What rebuilds have proven: how near each came to the bytes that dvc.lock records, and on which stack.

Every rebuild leaves a line a stage in the machine's folder. What it says of artifacts goes into `verified.jsonl` too,
which is in git: there it meets the lines of other machines, and stays with the commit that it is about.
"""

import contextlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from modelmake.dvc.graph import Recorded
from modelmake.running import platform, run_log, state_dir

FILE = "verified.jsonl"  # in the machine's folder, and in the project's
Stack = dict[str, str]
SAME, NEAR, OTHER, NOTHING = "same", "near", "other", "not rebuilt"  # outcomes of one rebuild


@dataclass(frozen=True)
class Proof:
    """One stage rebuilt once."""

    stage: str
    record: str  # the digest of what dvc.lock says of it
    commit: str
    date: str  # UTC
    stack: Stack  # of the rebuild
    original: Stack | None  # of the run that made the recorded bytes, where this machine's run log has it
    outcome: dict[str, str]  # {artifact: same, near, other or not rebuilt}
    bounds: dict[str, dict[str, float]] = field(default_factory=dict)  # {artifact: largest absolute differences}
    why: str = ""  # it was not rebuilt


@dataclass(frozen=True)
class Level:
    """What is proven of an artifact: "exact", on two different stacks; "exact on this stack"; "exact on another stack";
    "within tolerance" of its bounds; "different"; or "" where nobody rebuilt it as it is recorded now."""

    level: str
    stacks: list[Stack]
    bounds: dict[str, float]


def stacks(root: Path, clone: Path, name: str, node: Recorded) -> tuple[Stack | None, Stack | None]:
    """What the clone's run stood on, and the run that made the recorded bytes here; None where no run log has it."""
    rebuilt = [run for run in _runs(clone, name) if run["outcome"] == "done"]
    if not rebuilt:
        return None, None
    outs = {out.path: out.md5 for out in node.outs}
    before = [
        run
        for run in _runs(root, name)
        if run.get("identity") == rebuilt[-1].get("identity")
        and (run["outcome"] == "kept" or (run["outcome"] == "done" and run.get("outs") == outs))
    ]
    return rebuilt[-1].get("stack"), before[-1].get("stack") if before else None


def _runs(root: Path, name: str) -> list[dict[str, Any]]:
    return [run for run in run_log.read(root) if run["stage"] == name]


def keep(root: Path, proofs: list[Proof], nodes: dict[str, Recorded]) -> None:
    """Adds the proofs to the machine's, and to the project's, which keeps one a stage and stack, of `nodes` only."""
    kept = state_dir.folder(root) / FILE
    kept.parent.mkdir(parents=True, exist_ok=True)
    with kept.open("a", encoding="utf-8") as log:
        log.writelines(_line(proof) for proof in proofs)
    lines = {(p.stage, json.dumps(p.stack, sort_keys=True)): p for p in [*_read(root / FILE), *proofs] if not p.why}
    order = list(nodes)
    current = [p for p in lines.values() if p.stage in nodes and p.record == nodes[p.stage].digest]
    partial = root / f".{FILE}.partial"
    partial.write_text("".join(_line(p) for p in sorted(current, key=lambda p: order.index(p.stage))), "utf-8")
    os.replace(partial, root / FILE)


def levels(root: Path, nodes: dict[str, Recorded]) -> dict[str, Level]:
    """What is proven of every artifact, as far as this machine and the project know."""
    proofs = sorted([*_read(state_dir.folder(root) / FILE), *_read(root / FILE)], key=lambda proof: proof.date)
    here = platform.read(Path())
    return {
        out.path: _level([p for p in proofs if (p.stage, p.record) == (name, node.digest)], out.path, here)
        for name, node in nodes.items()
        if node.cmd
        for out in node.outs
    }


def _level(proofs: list[Proof], artifact: str, here: Stack) -> Level:
    """By the last rebuild on each stack; where this machine's say less than others', by this machine's."""
    last = {json.dumps(p.stack, sort_keys=True): p for p in proofs if p.outcome.get(artifact, NOTHING) != NOTHING}
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
    return Level("exact" if exact else f"exact on {'this' if own else 'another'} stack", distinct, {})


def _line(proof: Proof) -> str:
    return json.dumps({name: value for name, value in asdict(proof).items() if value not in ("", {})}) + "\n"


def _read(file: Path) -> Iterable[Proof]:
    return [Proof(**line) for line in _lines(file)]


def _lines(file: Path) -> list[dict[str, Any]]:
    found = []
    for line in file.read_text("utf-8").splitlines() if file.exists() else []:
        with contextlib.suppress(json.JSONDecodeError):  # cut off by a kill or a full disk
            found.append(json.loads(line))
    return found
