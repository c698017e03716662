"""Rebuilds committed stages in a clean clone and compares their bytes with those that dvc.lock records.

Each stage gets the inputs that dvc.lock records, checked byte by byte: where an earlier stage made other bytes, the
recorded ones take their place. So the result for an artifact is about its own stage alone.
"""

import contextlib
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from modelmake import artifacts, git
from modelmake.domain import Compare
from modelmake.dvc import graph, stores
from modelmake.dvc.graph import Entry, Recorded
from modelmake.errors import UserError
from modelmake.keys import key_file
from modelmake.running import platform
from modelmake.verifying import clone, distances, probe, proofs
from modelmake.verifying.clone import Clone
from modelmake.verifying.proofs import NEAR, NOTHING, OTHER, SAME, Proof
from modelmake.verifying.survey import is_within, join, select

WORDS = {SAME: "the same bytes", NEAR: "within tolerance", OTHER: "different", NOTHING: "not rebuilt"}


@dataclass(frozen=True)
class Rebuilt:
    """The proofs of a rebuild, and its clone if it was kept to look at differences and failures."""

    commit: str
    nodes: dict[str, Recorded]
    proofs: list[Proof]
    kept: Path | None


def run(
    root: Path, names: list[str], tolerance: float, output: Any, compare: Mapping[str, Compare], commit: str = ""
) -> Rebuilt:
    """Rebuilds the named stages, or all, of a commit, HEAD by default, and saves the proofs of HEAD.

    Args:
        output: the file to print to.

    Raises:
        UserError: nothing is committed, a name is wrong, or the disk is too small.
    """
    head = git.head(root)
    commit = commit or head
    if not commit:
        raise UserError(f"{root.absolute()}: no commit: want the build in git: `git add -A && git commit`")
    with contextlib.ExitStack() as cleanup:
        folder, path = clone.make(root, cleanup)
        if commit != head:
            clone.check_out(path, commit)
        nodes = graph.recorded(path)
        selected = {name: node for name, node in select(nodes, names).items() if node.cmd}
        if not selected:
            raise UserError(f"{' '.join(names)}: no stage makes it: want a stage with a command to rebuild")
        _check_space(root, selected)
        project = Clone(root, path, nodes, stores.cache(root))
        results: list[Proof] = []
        for name, node in selected.items():
            proof = _rebuild(project, name, node, commit, tolerance, output, compare)
            if commit != head:
                proof = replace(proof, why="; ".join(filter(None, [proof.why, packages_apart(root, commit, name)])))
            results.append(proof)
            reason = f": {proof.why}" if proof.why else ""
            for artifact, outcome in proof.outcome.items():
                result = _described(outcome, proof.bounds.get(artifact, {}))
                print(f"{name}: {artifact}: {result}{reason}", file=output, flush=True)
        if commit == head:  # the project keeps proofs of what it records now
            proofs.save(root, results, nodes)
        kept = None
        if project.worth_keeping:
            kept, _ = folder, cleanup.pop_all()
    return Rebuilt(commit, nodes, results, kept)


def packages_apart(root: Path, commit: str, stage: str) -> str:
    """In words, that a stage of a commit runs with the present packages where it was built with others; "" if not."""
    if probe.same_packages(root, commit, stage):
        return ""
    return f"run with the present packages, and those of {commit[:10]} were others"


def _described(outcome: str, bounds: dict[str, float]) -> str:
    if not bounds:
        return WORDS[outcome]
    place = max(bounds, key=bounds.get)
    return f"{WORDS[outcome]}: at most {bounds[place]:.3g} apart ({place})"


def _rebuild(
    project: Clone,
    name: str,
    node: Recorded,
    commit: str,
    tolerance: float,
    output: Any,
    compare: Mapping[str, Compare],
) -> Proof:
    outs = [out.path for out in node.outs]
    try:
        reason = _prepare(project, name, node)
    except UserError as error:
        reason = str(error)
    if not reason:
        code = _repro(project.path, name, output)
        reason = f"`dvc repro` ended with {code}; its message is above" if code else ""
        project.worth_keeping |= bool(code)
    rebuilt_on, original = proofs.platforms(project.root, project.path, name, node)
    outcome, bounds = dict.fromkeys(outs, NOTHING), {}
    if not reason:
        for out, files in zip(node.outs, project.files(*outs).values(), strict=True):
            outcome[out.path], bounds[out.path] = _compared(project, out, files, tolerance, compare)
    for out in node.outs:
        if outcome[out.path] == SAME:
            project.ready.add(out.path)
        elif outcome[out.path] != NOTHING:  # stages that read it get the recorded bytes
            project.set_aside(out)
    project.worth_keeping |= OTHER in outcome.values()
    return Proof(
        stage=name,
        record=node.digest,
        commit=commit,
        date=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        stack=rebuilt_on or platform.read(key_file.read(project.path, name)),
        original=original,
        outcome=outcome,
        bounds={path: differences for path, differences in bounds.items() if differences},
        why=reason,
    )


def _prepare(project: Clone, name: str, node: Recorded) -> str:
    """Brings a stage's inputs into the clone and checks every byte; returns the reason why it cannot be rebuilt.

    Raises:
        UserError: what it would write is outside of the project, or a package of it is not the clone's.
    """
    unbuilt = [entry.path for entry in (*node.outs, *node.deps) if not entry.md5]
    if unbuilt or node.changed:
        return f"dvc.lock of that commit does not have {', '.join([*unbuilt, *node.changed])}: build and commit first"
    for out in node.outs:
        clone.place(project.path, out.path)
    clone.check_packages(project.path, name)
    made = [(maker, out) for maker, n in project.nodes.items() if maker != name for out in n.outs if out.md5]
    for maker, out in made:
        needed = any(is_within(dep.path, out.path) or is_within(out.path, dep.path) for dep in node.deps)
        if needed and out.path not in project.ready:
            from_git = not out.cached and (project.path / out.path).exists()
            if not from_git and not project.copy_recorded(out):
                return f"its input {out.path} is not on this machine as recorded: `dvc pull {maker}` first"
            project.ready.add(out.path)
    for dep, files in zip(node.deps, project.files(*(dep.path for dep in node.deps)).values(), strict=True):
        md5 = artifacts.files_md5(files)
        if not files:
            return f"its input {dep.path} is in neither git nor DVC, so not in a clean clone: `dvc add` it"
        if md5 != dep.md5:
            return f"its input {dep.path} has md5 {md5} in that commit, dvc.lock has {dep.md5}: build and commit first"
    return ""


def _compared(
    project: Clone, out: Entry, files: dict[str, str], tolerance: float, compare: Mapping[str, Compare]
) -> tuple[str, dict[str, float]]:
    """(outcome, numeric distances) of a rebuilt artifact; `files` are its hashes."""
    if files and artifacts.files_md5(files) == out.md5:
        return SAME, {}
    recorded = project.recorded(out)
    if recorded is None:
        return OTHER, {}
    own = Path(out.path).name  # the name of an artifact that is a file
    rebuilt = {name or own: project.path / join(out.path, name) for name in files}
    bounds = distances.of_artifacts({name or own: path for name, path in recorded.items()}, rebuilt, compare)
    if bounds is None:
        return OTHER, {}
    return (NEAR if max(bounds.values(), default=0.0) <= tolerance else OTHER), bounds


def _repro(path: Path, name: str, output: Any) -> int:
    """Runs one stage for certain: the clone's cache and run-cache are empty, and the run is forced."""
    command = [sys.executable, "-m", "dvc", "repro", "-s", "-f", name]
    return clone.run(command, path, Path(sys.executable).parent, stdout=output, stderr=output).returncode


def _check_space(root: Path, selected: dict[str, Recorded]) -> None:
    needed = 2 * sum(out.size for node in selected.values() for out in node.outs)  # in the workspace and the cache
    free = shutil.disk_usage(root.absolute().parent).free
    if free < needed:
        raise UserError(
            f"{root.absolute().parent}: found {free >> 20} MiB free: want {needed >> 20} MiB for a rebuild; free some, "
            "or name fewer stages"
        )
