"""`modelmake accept`: keeps the outputs of stages whose code changed, where a probe shows no difference."""

import argparse
import contextlib
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelmake import identity
from modelmake.artifacts import Files, files_md5
from modelmake.dvc import graph, new_keys, reproduction
from modelmake.dvc.reproduction import Node, Records
from modelmake.errors import UserError
from modelmake.keys import key_file
from modelmake.running import run_log
from modelmake.verifying import clone, probe, probe_acceptances, survey
from modelmake.verifying.probe import Code, Probe
from modelmake.verifying.probe_acceptances import Acceptance

ROWS = 200  # of each table
_Codes = dict[tuple[str, bool], Code]  # by commit, and whether with its own packages
RUN = "nothing recorded; `dvc repro` runs it"


@dataclass(frozen=True)
class _Stale:
    """A stage that is stale by its key alone."""

    node: Node
    inputs: dict[str, Files]  # without what preflight writes

    @property
    def old_key(self) -> str:
        return self.node.deps[key_file.path_of(self.node.name)] or ""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="STAGE", help="stages; none: all stale by code alone")
    parser.add_argument(
        "--probe", nargs="?", const=ROWS, type=int, metavar="ROWS",
        help=f"run the old code and the present on so many rows of each table ({ROWS}); name stages before it",
    )  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """0 if every named stage is recorded under its present key; else 1."""
    if options.probe is None:
        raise UserError("accept: want --probe: it compares the bytes of old and present code; `dvc commit -f STAGE` "
                        "records outputs without a look")  # fmt: skip
    if options.probe < 1:
        raise UserError(f"accept: --probe {options.probe}: want a number of rows above 0")
    return accept(Path(), options.names, options.probe, options.domain.probe)


def accept(root: Path, names: list[str], rows: int, values: Mapping[str, Mapping[str, Any]]) -> int:
    """Probes the stages, prints a line for each, and records those whose codes wrote the same bytes.

    Args:
        values: {module: {pattern of a parameter's dotted name: its value in probes of the stages that run it}}.
    """
    with contextlib.ExitStack() as cleanup:
        now = probe.present(root, cleanup)
        stages, changes = graph.stages(root), {}
        selected = [name for name in survey.select(graph.recorded(root), names) if name in stages]
        with reproduction.reading(root) as records:
            nodes = {name: records.nodes[name] for name in selected if stages[name].key_file in stages[name].deps}
            for name, node in nodes.items():
                changes[name] = _more_than_key(records, node, now)
            stale = {n: _Stale(node, _inputs(records, node)) for n, node in nodes.items() if changes[n] == []}
        refused, equal, codes = 0, {}, {}
        for name in selected if names else stale:
            if name in stale:
                own_values = values.get(stages[name].module, {})
                problem, outcome = _probe(root, stages[name], stale[name], now, codes, rows, own_values, cleanup)
                if problem:
                    print(f"{name}: refused: {problem}: {RUN}", flush=True)
                    refused += 1
                else:
                    equal[name] = outcome
                    words = probe_acceptances.probe_words(outcome[0].rows, outcome[0].values)
                    print(
                        f"{name}: the code of {outcome[1][:10]} and the present: same bytes on {words}{outcome[0].met}",
                        flush=True,
                    )
            elif name not in changes or changes[name] is None:
                reason = "its key is that of dvc.lock" if name in changes else "it has no key"
                print(f"{name}: {reason}: nothing to accept")
            else:
                print(f"{name}: refused: more than its key changed: {', '.join(changes[name])}: {RUN}")
                refused += 1
        recorded = _record(root, equal, stale, now, stages) if equal else 0
    if not names and not stale:
        print("no stage is stale by its key alone: nothing to accept")
    if recorded:
        files = f"dvc.lock, {key_file.FOLDER} and {probe_acceptances.FILE}"
        print(f"accepted {recorded} of {recorded + refused}: commit {files}")
    return int(refused > 0)


def _more_than_key(records: Records, node: Node, now: Code) -> list[str] | None:
    """What else makes a stage stale; None if its key is the recorded one."""
    key, changes = key_file.path_of(node.name), []
    if node.recorded_cmd is None:
        return ["it is not in dvc.lock"]
    if node.recorded_cmd != node.cmd:
        changes.append("its command")
    names = node.params | node.recorded_params
    changes += [f"parameter {n}" for n in names if node.params.get(n, ...) != node.recorded_params.get(n, ...)]
    for path, md5 in node.deps.items():
        if path != key and md5 != _md5(records, path, now):
            changes.append(path)
    for path, md5 in node.outs.items():
        if (files := records.files(path)) is not None and files_md5(files) != md5:
            changes.append(f"output {path}")
    return None if not changes and node.deps[key] == now.keys.get(key) else changes


def _md5(records: Records, path: str, now: Code) -> str | None:
    if key_file.is_in_folder(path):
        return now.keys.get(path)
    files = records.files(path)
    return None if files is None else files_md5(files)


def _inputs(records: Records, node: Node) -> dict[str, Files]:
    return {path: records.files(path) or {} for path in node.deps if not key_file.is_in_folder(path)}


def _probe(
    root: Path, stage: graph.Stage, stale: _Stale, now: Code, codes: _Codes, rows: int,
    values: Mapping[str, Any], cleanup: contextlib.ExitStack,
) -> tuple[str, tuple[Probe, str] | None]:  # fmt: skip
    """(why the stage cannot be accepted or "", (its probe, the commit of the old code))."""
    try:
        clone.check_packages(now.path, stage.name)
        commit, old = _old_code(root, stage.name, stale.old_key, codes, cleanup)
        outcome = probe.run(root, stage, stale.inputs, (old, now), rows, values)
    except UserError as error:
        return str(error), None
    if outcome.problem:
        return f"on {probe_acceptances.probe_words(outcome.rows, outcome.values)}: {outcome.problem}", None
    return "", (outcome, commit)


def _old_code(root: Path, name: str, key: str, codes: _Codes, cleanup: contextlib.ExitStack) -> tuple[str, Code]:
    """The newest commit whose code has the recorded key by its own preflight, and that code.

    Raises:
        UserError: there is none, or it cannot run.
    """
    for commit in probe.commits_with_key(root, name, key):
        own = not probe.same_packages(root, commit, name)
        if (commit, own) not in codes:
            codes[commit, own] = probe.of_commit(root, commit, own, cleanup)
        if codes[commit, own].keys.get(key_file.path_of(name)) == key:
            clone.check_packages(codes[commit, own].path, name)
            return commit, codes[commit, own]
    raise UserError(f"no commit up to HEAD has the code of its recorded key {key[:10]}")


def _record(
    root: Path, equal: dict[str, tuple[Probe, str]], stale: dict[str, _Stale], now: Code, stages: dict[str, graph.Stage]
) -> int:
    """Brings keys/ up to date and records the stages under their present keys; returns their number."""
    preflight = next(name for name, stage in stages.items() if key_file.FOLDER in stage.outs)
    done = subprocess.run([sys.executable, "-m", "dvc", "repro", "-q", "-s", preflight], cwd=root, check=False)
    if done.returncode:
        raise UserError(f"{preflight}: `dvc repro -s {preflight}` ended with {done.returncode}: nothing recorded")
    nodes = graph.recorded(root)
    kept = [a for a in probe_acceptances.read(root) if a.stage in nodes and a.record == nodes[a.stage].digest]
    unproven = probe_acceptances.unproven(root, {name: nodes[name].digest for name in equal})
    accepted = []
    with new_keys.recording(root, equal) as rekeyed:
        for name, (outcome, commit) in equal.items():
            record = rekeyed[name]
            if record.key != now.keys[stages[name].key_file]:
                raise UserError(f"{name}: its code changed while the probe ran: nothing recorded; run this again")
            accepted.append(Acceptance(
                stage=name, identity=identity.of_lock(record.entry), record=record.digest,
                old_key=stale[name].old_key, key=record.key, commit=commit,
                date=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                inputs={path: files_md5(files) for path, files in stale[name].inputs.items()},
                outs={out["path"]: out["md5"] for out in record.entry["outs"]},
                rows=outcome.rows, values=outcome.values,
                before=_before(root, name, record.old_entry, unproven.get(name)),
            ))  # fmt: skip
        probe_acceptances.save(root, [*kept, *accepted])  # first: without it, the record would pass for a run's
    return len(accepted)


def _before(root: Path, name: str, old: dict[str, Any], accepted: Acceptance | None) -> list[str]:
    """In words, how a stage's outputs came under their old record without a run, oldest first; empty after a run."""
    if accepted:
        return [*accepted.before, accepted.probe]
    runs, outs = run_log.finished(root).get(name, []), {out["path"]: out.get("md5", "") for out in old["outs"]}
    same_inputs, same_outputs, run = run_log.alike(runs, identity.of_lock(old), outs)
    return ["`dvc commit` without a run"] if not run and (same_inputs or same_outputs) else []
