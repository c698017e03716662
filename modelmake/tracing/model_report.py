"""The origin of a model, or any other output of a build: commits, stages, parameters, code, data, rows consumed."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from modelmake import artifacts, git
from modelmake.domain import Domain
from modelmake.errors import UserError
from modelmake.git import Commit
from modelmake.running import run_log
from modelmake.tracing import acceptance
from modelmake.tracing.history import History
from modelmake.tracing.lineage import Lineage, Link, raw_path
from modelmake.tracing.lock_entries import LockedStage
from modelmake.tracing.row_index import RowIndex
from modelmake.verifying import probe_acceptances
from modelmake.verifying.probe_acceptances import Acceptance

Output = tuple[LockedStage, str, str]  # stage, its output, the file in it or ""
Chain = list[tuple[str, LockedStage]]  # build, stage; makers first
Place = tuple[str, str, int]  # MD5 of the table, file, line


@dataclass(frozen=True)
class Identified:
    """The outputs of builds that a file or folder is."""

    md5: str
    outputs: list[Output]
    note: str = ""  # where they are not the same bytes


def report(root: Path, here: Path, asked: str, history: History, domain: Domain) -> dict[str, Any]:
    """The origin of a file or folder, its path relative to `here`. Its bytes identify it, wherever it lies.

    Raises:
        UserError: there is no such file or folder, or no build made it.
    """
    path = Path(os.path.normpath(here / asked))  # not resolved: a declared output may be a link into the cache
    relative = path.relative_to(root).as_posix() if path.is_relative_to(root) else ""
    identified = _by_record(relative, history) if relative and not path.exists() else _by_content(path, asked, history)
    lineage, index = Lineage(history, domain.model_suffixes), RowIndex(history)
    stage, out, inner = _first(identified.outputs, relative, lineage)
    build = history.builds_with(stage)[0]
    chain = lineage.chain(build, stage)
    builds = [build for stage, _, _ in identified.outputs for build in history.builds_with(stage)]
    return {
        "asked": asked,
        "md5": identified.md5,
        "output": out,
        "file": inner,
        "stage": stage.name,
        "note": identified.note,
        "also": sorted({f"{o}/{i}".rstrip("/") for _, o, i in identified.outputs if (o, i) != (out, inner)}),
        "working_tree": history.working_tree in builds,
        "commits": [_commit(commit) for commit in history.commits_of(builds)],
        "stages": _stages(root, chain, lineage),
        "data": _data(chain, lineage),
        "consumed": [table for build, stage in chain for table in _consumed(build, stage, lineage, index)],
        "unrecorded": [file for _, stage in chain for file in _read_without_list(stage, lineage, index)],
        "unknown": _made_elsewhere(chain, lineage, index),
        "missing": _missing(root, chain, history),
        "unreadable": history.unreadable,
    }


def _by_content(path: Path, asked: str, history: History) -> Identified:
    """The outputs with these bytes; else those that share the most bytes with a folder."""
    if not path.exists():
        raise UserError(f"{asked}: no such file or folder: want a model to trace, or a row: --row TEXT|ID|FILE:LINE")
    measured = artifacts.measure(path)
    if outputs := _outputs_with(measured.md5, history):
        return Identified(measured.md5, outputs)
    shared: Counter[Output] = Counter()
    for file in measured.files.values() if path.is_dir() else ():
        for output in {(stage, out, "") for stage, out, inner in _outputs_with(file.md5, history) if inner}:
            shared[output] += file.size
    if not shared:
        raise UserError(
            f"{asked}: {measured.md5}: no dvc.lock of any commit has it: want an output of this project, or a file of "
            "one; fetch its branches, or look in another clone"
        )
    best = [output for output, size in shared.items() if size == max(shared.values())]
    stage, out, _ = best[0]
    members = set(history.members[stage.outs[out]].values())
    extra = sorted(name for name, file in measured.files.items() if file.md5 not in members)
    note = f"{len(measured.files) - len(extra)} of its {len(measured.files)} files are in this output"
    note += f"; not in it: {', '.join(extra)}" if extra else "; others of the output are not here, or renamed"
    return Identified(measured.md5, best, note)


def _by_record(path: str, history: History) -> Identified:
    """A declared output that is not in the workspace, as the newest build records it."""
    for build, stages in history.builds.items():
        for stage in stages:
            if path in stage.outs:
                commit = next((f"commit {c.sha[:10]}" for c in history.commits.get(build, [])), "")
                where = "the working tree" if build == history.working_tree or not commit else commit
                note = f"not in the workspace; as dvc.lock of {where} records it"
                return Identified(stage.outs[path], [(stage, path, "")], note)
    raise UserError(f"{path}: no such file or folder, and no build has such an output: want a model to trace")


def _outputs_with(md5: str, history: History) -> list[Output]:
    """Outputs with this content, without those of builds that are gone from git."""
    return [output for output in history.outputs_with(md5) if history.builds_with(output[0])]


def _first(outputs: list[Output], asked: str, lineage: Lineage) -> Output:
    """The output at the path that was asked for, else that of the earliest stage; of several the newest."""
    order = {build: number for number, build in enumerate(lineage.history.builds)}

    def rank(output: Output) -> tuple[bool, int, int, str]:
        stage, out, inner = output
        build = lineage.history.builds_with(stage)[0]
        depth = len(lineage.chain(build, stage))
        return f"{out}/{inner}".rstrip("/") != asked, depth, order[build], out

    return min(outputs, key=rank)


def _commit(commit: Commit) -> dict[str, str]:
    date = datetime.fromtimestamp(commit.timestamp, UTC).strftime("%Y-%m-%d")
    return {"commit": commit.sha, "date": date, "subject": commit.subject}


def _stages(root: Path, chain: Chain, lineage: Lineage) -> list[dict[str, Any]]:
    history, runs, (final_build, _) = lineage.history, run_log.finished(root), chain[-1]
    probed = {build: _probed(root, build, history) for build in {build for build, _ in chain}}
    versions: dict[str, list[LockedStage]] = {}
    for stage in history.stages.values():
        versions.setdefault(stage.name, []).append(stage)
    return [
        {
            "stage": stage.name,
            "cmd": stage.record.get("cmd", ""),
            "run": acceptance.state(stage, runs.get(stage.name, []), versions[stage.name], probed[build], root),
            "build": None if build == final_build else [_commit(c) for c in history.commits.get(build, [])[:1]],
            "inputs": [_input(link) for link in lineage.links(build, stage)],
            "outs": stage.outs,
            "parameters": stage.params,
            "code": _code(root, build, stage, history),
        }
        for build, stage in chain
    ]


def _probed(root: Path, build: str, history: History) -> list[Acceptance]:
    """The acceptances on a probe in the working tree, if the build is there, and in each commit of the build."""
    contents = _versions(root, build, probe_acceptances.FILE, history)
    return [acceptance for content in contents for acceptance in probe_acceptances.parse(content)]


def _input(link: Link) -> dict[str, Any]:
    doubts = dict.fromkeys(maker.doubt for maker in link.makers if maker.doubt)
    return {
        "path": link.path,
        "md5": link.md5,
        "from": [maker.stage.name for maker in link.makers],
        "unsure": link.lost or "; ".join(doubts),
    }


def _code(root: Path, build: str, stage: LockedStage, history: History) -> dict[str, Any] | None:
    """The stage's key file as it was in the build, where git or the working tree still has that version."""
    md5 = stage.deps.get(stage.key_file)
    if md5 is None:
        return None
    versions = _versions(root, build, stage.key_file, history)
    content = next((content for content in versions if artifacts.md5(content) == md5), None)
    return {"file": stage.key_file, "md5": md5, "key": None if content is None else json.loads(content)}


def _versions(root: Path, build: str, path: str, history: History) -> Iterator[bytes]:
    """The contents of a file in the working tree, if the build is there, and in each commit of the build."""
    if build == history.working_tree and (root / path).is_file():
        yield (root / path).read_bytes()
    yield from git.versions(root, [commit.sha for commit in history.commits.get(build, [])], path)


def _data(chain: Chain, lineage: Lineage) -> list[dict[str, Any]]:
    """Inputs that no stage made."""
    result = {}
    for build, stage in chain:
        recorded = {dep["path"]: dep for dep in stage.record.get("deps", [])}
        for link in lineage.links(build, stage):
            if not link.makers:
                dep = recorded[link.path]
                result[link.path, link.md5] = {
                    "path": link.path, "md5": link.md5, "bytes": dep.get("size"), "files": dep.get("nfiles", 1),
                    "unsure": link.lost,
                }  # fmt: skip
    return list(result.values())


def _consumed(build: str, stage: LockedStage, lineage: Lineage, index: RowIndex) -> Iterator[dict[str, Any]]:
    """Each table of consumed rows that a stage wrote: its rows in order, with their places in the raw data."""
    kinds, history = index.kinds(), lineage.history
    for path, md5 in stage.outs.items():
        content = history.read(md5) if kinds.get(md5) == "consumed" else None
        if content is None:
            continue
        makers = {table: maker for _, maker in lineage.chain(build, stage) for table in history.files(maker).values()}
        places, parents = index.places(makers), index.parents(makers)
        raw = cache(lambda table, file: raw_path(makers[table], file))  # noqa: B023 - called in this turn only
        batches = [json.loads(line) for line in content.splitlines()]
        sources: dict[str, list[str]] = {}
        by_file: Counter[str] = Counter()
        for id, row in index.rows(id for batch in batches for id in batch["ids"]).items():
            lines = sorted((raw(table, file), line) for table, file, line in _origins(row, places, parents))
            sources[id] = [f"{file}:{line}" for file, line in lines]
            by_file.update({file for file, _ in lines} or {"(no source recorded)"})
        yield {
            "stage": stage.name,
            "output": path,
            "md5": md5,
            "steps": len({batch["step"] for batch in batches}),
            "distinct": len(sources),
            "files": dict(sorted(by_file.items())),
            "rows": [
                {"step": batch["step"], "id": id, "sources": sources[id]} for batch in batches for id in batch["ids"]
            ],
        }


def _origins(row: int, places: dict[int, list[Place]], parents: dict[int, list[int]]) -> list[Place]:
    """The places of a row and of all rows that it was made from."""
    if row not in parents:
        return places.get(row, [])
    rows = [row]
    for version in rows:  # grows meanwhile
        rows += [parent for parent in parents.get(version, []) if parent not in rows]
    return [place for version in rows for place in places.get(version, [])]


def _read_without_list(stage: LockedStage, lineage: Lineage, index: RowIndex) -> list[dict[str, Any]]:
    """Files of rows from which a stage made a model without a list of the rows that it consumed."""
    kinds = index.kinds()
    written = {kinds.get(md5) for md5 in lineage.history.files(stage).values()}
    if written & {"rows", "consumed"} or not lineage.makes_model(stage):
        return []
    read = {path: md5 for path, md5 in stage.deps.items() if kinds.get(md5) == "rows"}
    return [{"stage": stage.name, "file": path, "rows": index.count(md5)} for path, md5 in read.items()]


def _made_elsewhere(chain: Chain, lineage: Lineage, index: RowIndex) -> list[dict[str, str]]:
    """Models that no stage made, and other files but rows of which a stage made one without a list of rows.

    Each is with the first stage that read it.
    """
    kinds, found = index.kinds(), {}
    for build, stage in chain:
        written = {kinds.get(md5) for md5 in lineage.history.files(stage).values()}
        if "rows" in written or not lineage.makes_model(stage):
            continue
        for link in lineage.links(build, stage):
            if link.makers or kinds.get(link.md5) == "rows":
                continue
            if "consumed" not in written or lineage.is_model(link.path, link.md5):
                found.setdefault(link.path, {"stage": stage.name, "path": link.path})
    return list(found.values())


def _missing(root: Path, chain: Chain, history: History) -> list[dict[str, str]]:
    """Outputs of the chain that neither the cache nor git has. Outputs with `cache: false` are in git."""
    result = []
    for build, stage in chain:
        for path, md5 in stage.outs.items():
            if md5 and not history.cached(md5):
                versions = () if md5.endswith(".dir") else _versions(root, build, path, history)
                if not any(artifacts.md5(content) == md5 for content in versions):
                    result.append({"path": path, "md5": md5, "stage": stage.name})
    return result
