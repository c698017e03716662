"""What a model, or any other output of a build, was made of: commit, stages, parameters, code, data, rows consumed."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from modelmake import artifacts, git
from modelmake.domain import Domain
from modelmake.errors import UserError
from modelmake.git import Commit
from modelmake.tracing import acceptance
from modelmake.tracing.history import Entry, History
from modelmake.tracing.lineage import Lineage, raw_path
from modelmake.tracing.row_index import RowIndex

Place = tuple[str, str, int]  # table, file, line


def report(root: Path, here: Path, asked: str, past: History, domain: Domain) -> dict[str, Any]:
    """All that is known of a file or folder, its path seen from `here`; its bytes say what it is, wherever it lies.

    Raises:
        UserError: nothing is there, or no build made it.
    """
    path = Path(os.path.normpath(here / asked))  # not resolved: a declared output may be a link into the cache
    relative = path.relative_to(root).as_posix() if path.is_relative_to(root) else ""
    found = _recorded(relative, past) if relative and not path.exists() else _identified(path, asked, past)
    lineage, index = Lineage(past, domain.model_suffixes), RowIndex(past)
    entry, out, inner = _chosen(found["holders"], relative, lineage)
    build = past.having(entry.number)[0]
    chain = lineage.chain(build, entry)
    holding = [b for e, _, _ in found["holders"] for b in past.having(e.number)]
    runs = acceptance.runs(root)
    by_stage: dict[str, list[Entry]] = {}
    for known in past.entries.values():
        by_stage.setdefault(known.stage, []).append(known)
    stages = []
    for made_in, e in chain:
        links = lineage.links(made_in, e)
        stages.append(
            {
                "stage": e.stage,
                "cmd": e.content.get("cmd", ""),
                "run": acceptance.state(e, runs.get(e.stage, []), by_stage[e.stage]),
                "build": None if made_in == build else [_commit(c) for c in past.commits.get(made_in, [])][:1],
                "inputs": [
                    {
                        "path": link.path,
                        "md5": link.md5,
                        "from": [maker.entry.stage for maker in link.makers],
                        "unsure": link.lost or "; ".join(dict.fromkeys(m.how for m in link.makers if m.how)),
                    }
                    for link in links
                ],
                "outs": e.outs,
                "parameters": acceptance.parameters(e),
                "code": _code(root, past, made_in, e),
            }
        )
    return {
        "asked": asked,
        "md5": found["md5"],
        "output": out,
        "file": inner,
        "stage": entry.stage,
        "note": found["note"],
        "also": sorted({f"{o}/{i}".rstrip("/") for e, o, i in found["holders"] if (o, i) != (out, inner)}),
        "working_tree": past.here in holding,
        "commits": [_commit(c) for c in past.commits_of(holding)],
        "stages": stages,
        "data": _data(chain, lineage),
        "consumed": [c for made_in, e in chain for c in _consumed(made_in, e, lineage, index)],
        "unrecorded": [read for _, e in chain for read in _unrecorded(e, lineage, index)],
        "missing": missing(chain, past, root),
        "unreadable": [{"commit": sha, "problem": problem} for sha, problem in past.unreadable],
    }


def _identified(path: Path, asked: str, past: History) -> dict[str, Any]:
    if not path.exists():
        raise UserError(f"{asked}: no such file or folder: want a model to trace, or a row: --row TEXT|ID|FILE:LINE")
    measured = artifacts.measure(path)
    if holders := _in_builds(past, measured.md5):
        return {"md5": measured.md5, "holders": holders, "note": ""}
    if path.is_dir():  # with a file too many or too few: whose files has it, by their bytes?
        shared: dict[tuple[Entry, str, str], int] = {}
        for file in measured.files.values():
            for entry, out, inner in {(e, o, "") for e, o, i in _in_builds(past, file.md5) if i}:
                shared[entry, out, inner] = shared.get((entry, out, inner), 0) + file.size
        if shared:
            best = max(shared.values())
            holders = [holder for holder, size in shared.items() if size == best]
            theirs = set(past.members[holders[0][0].outs[holders[0][1]]].values())
            other = sorted(name for name, file in measured.files.items() if file.md5 not in theirs)
            note = f"{len(measured.files) - len(other)} of its {len(measured.files)} files are of this output"
            note += f"; not of it: {', '.join(other)}" if other else "; some of that are not here, or have another name"
            return {"md5": measured.md5, "holders": holders, "note": note}
    raise UserError(
        f"{asked}: {measured.md5}: no dvc.lock of any commit has it: want an output of this project, or a file of one; "
        "fetch its branches, or look in another clone"
    )


def _recorded(path: str, past: History) -> dict[str, Any]:
    """A declared output that is not in the working tree, as the newest build has it."""
    for build, entries in past.builds.items():
        for entry in entries:
            if path in entry.outs:
                commit = next((f"commit {c.sha[:10]}" for c in past.commits.get(build, [])), "the working tree")
                if build == past.here:
                    commit = "the working tree"
                note = f"not here; as dvc.lock of {commit} records it"
                return {"md5": entry.outs[path], "holders": [(entry, path, "")], "note": note}
    raise UserError(f"{path}: no such file or folder, and no build has such an output: want a model to trace")


def _in_builds(past: History, md5: str) -> list[tuple[Entry, str, str]]:
    return [holder for holder in past.holding(md5) if past.having(holder[0].number)]


def _chosen(holders: list[tuple[Entry, str, str]], asked: str, lineage: Lineage) -> tuple[Entry, str, str]:
    """The output at the path that was asked for, else the one that was there first; of these the newest claim."""
    past = lineage.history
    order = {build: number for number, build in enumerate(past.builds)}

    def rank(holder: tuple[Entry, str, str]) -> tuple[bool, int, int, str]:
        entry, out, inner = holder
        build = past.having(entry.number)[0]
        depth = len(lineage.chain(build, entry))
        return f"{out}/{inner}".rstrip("/") != asked, depth, order[build], out

    return min(holders, key=rank)


def _commit(commit: Commit) -> dict[str, str]:
    date = datetime.fromtimestamp(commit.at, UTC).strftime("%Y-%m-%d")
    return {"commit": commit.sha, "date": date, "subject": commit.subject}


def _code(root: Path, past: History, build: str, entry: Entry) -> dict[str, Any] | None:
    """What the stage's key file says, if git (or the working tree) has it as it was."""
    md5 = entry.deps.get(entry.key_file)
    if md5 is None:
        return None
    content = next((c for c in _versions(root, past, build, entry.key_file) if artifacts.md5(c) == md5), None)
    return {"file": entry.key_file, "md5": md5, "key": None if content is None else json.loads(content)}


def _versions(root: Path, past: History, build: str, path: str) -> Iterator[bytes]:
    """A file of git as the working tree and each commit of a build have it."""
    if build == past.here and (root / path).is_file():
        yield (root / path).read_bytes()
    yield from git.versions(root, [commit.sha for commit in past.commits.get(build, [])], path)


def _data(chain: list[tuple[str, Entry]], lineage: Lineage) -> list[dict[str, Any]]:
    """What no stage made."""
    found = {}
    for build, entry in chain:
        recorded = {dep["path"]: dep for dep in entry.content.get("deps", [])}
        for link in lineage.links(build, entry):
            if not link.makers:
                dep = recorded[link.path]
                found[link.path, link.md5] = {
                    "path": link.path, "md5": link.md5, "bytes": dep.get("size"), "files": dep.get("nfiles", 1),
                    "unsure": link.lost,
                }  # fmt: skip
    return list(found.values())


def _consumed(build: str, entry: Entry, lineage: Lineage, index: RowIndex) -> list[dict[str, Any]]:
    """The rows that a stage says it consumed, in order, with where they stood in the raw data."""
    kinds, found = index.kinds(), []
    for path, md5 in entry.outs.items():
        content = lineage.history.read(md5) if kinds.get(md5) == "consumed" else None
        if content is None:
            continue
        tables = {md5: e for _, e in lineage.chain(build, entry) for md5 in lineage.history.files(e).values()}
        places, parents = index.places(tables), index.parents(tables)
        whole = cache(lambda table, file: raw_path(tables[table], file))  # noqa: B023 - called within this turn
        batches = [json.loads(line) for line in content.splitlines()]
        numbers = index.numbers_of(id for batch in batches for id in batch["ids"])
        sources, by_file = {}, Counter()
        for id, number in numbers.items():
            stood = sorted((whole(table, file), line) for table, file, line in _places(number, places, parents))
            sources[id] = [f"{file}:{line}" for file, line in stood]
            for file in {file for file, _ in stood} or {"(no source recorded)"}:
                by_file[file] += 1
        rows = [{"step": batch["step"], "id": id, "sources": sources[id]} for batch in batches for id in batch["ids"]]
        found.append(
            {
                "stage": entry.stage,
                "output": path,
                "md5": md5,
                "steps": len({b["step"] for b in batches}),
                "distinct": len(sources),
                "files": dict(sorted(by_file.items())),
                "rows": rows,
            }
        )
    return found


def _unrecorded(entry: Entry, lineage: Lineage, index: RowIndex) -> list[dict[str, Any]]:
    """Files of rows that a stage made a model from without saying which of them it consumed."""
    kinds = index.kinds()
    given = {kinds.get(md5) for md5 in lineage.history.files(entry).values()}
    if given & {"rows", "consumed"} or not lineage.makes_model(entry):
        return []
    read = {path: md5 for path, md5 in entry.deps.items() if kinds.get(md5) == "rows"}
    return [{"stage": entry.stage, "file": path, "rows": index.rows_in(md5)} for path, md5 in read.items()]


def _places(row: int, places: dict[int, list[Place]], parents: dict[int, list[int]]) -> list[Place]:
    """Where a row stands, and those that it was before."""
    if row not in parents:
        return places.get(row, [])
    found, queue, seen = [], [row], {row}
    while queue:
        now = queue.pop()
        found += places.get(now, [])
        new = [parent for parent in parents.get(now, []) if parent not in seen]
        seen.update(new)
        queue += new
    return found


def missing(chain: list[tuple[str, Entry]], past: History, root: Path) -> list[dict[str, str]]:
    """Outputs of the chain that the cache does not have, nor (as those with `cache: false`) git."""
    found = []
    for build, entry in chain:
        absent = {path: md5 for path, md5 in entry.outs.items() if md5 and not past.has(md5)}
        for path, md5 in list(absent.items()):
            kept = () if md5.endswith(".dir") else _versions(root, past, build, path)
            if any(artifacts.md5(content) == md5 for content in kept):
                del absent[path]
        found += [{"path": path, "md5": md5, "stage": entry.stage} for path, md5 in absent.items()]
    return found
