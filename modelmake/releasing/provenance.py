"""Whether a commit says what a file was made of: the chain of stages in dvc.lock, down to files of the commit."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from modelmake import artifacts, git
from modelmake.artifacts import Files
from modelmake.dvc import graph, stores
from modelmake.dvc.graph import Recorded
from modelmake.keys import key_file
from modelmake.releasing.contents import PARAMS, values
from modelmake.running import run_log
from modelmake.tracing import acceptance
from modelmake.tracing.lock_entries import LockedStage
from modelmake.verifying import probe_acceptances
from modelmake.verifying.survey import is_within, join, read_listing

ABSENT = object()
Stages = Mapping[str, LockedStage]


def problems(root: Path, commit: str, folder: str, stages: Stages, paths: list[str]) -> tuple[list[str], int]:
    """(why a commit is no record of how files were made, the number of stages that have no run on this machine).

    Every stage of the chain must have read what git has in the commit, or what a stage of the same dvc.lock wrote, with
    the parameters of the commit; and the run log here, if it knows the stage, must not say that it was only accepted.
    Of HEAD the commands and paths of dvc.yaml are compared too; DVC resolves them for the working tree alone.

    Args:
        folder: of the project in the repository, with a slash.
        stages: of the commit's dvc.lock.
        paths: of the files or folders.
    """
    known = _Files(root, commit, folder)
    files = {PARAMS, *(file for stage in stages.values() for file in stage.record.get("params") or {})}
    params = {name: values(known.read(name), f"{commit[:10]}:{name}") for name in files}
    nodes = graph.recorded(root) if commit == git.head(root) else {}
    runs, probed = run_log.finished(root), probe_acceptances.parse(known.read(probe_acceptances.FILE) or b"")
    result, elsewhere = [], 0
    for stage in _chain(stages, paths, known):
        found = [*_inputs(stage, stages, known), *_parameters(stage, params), *_declared(nodes.get(stage.name))]
        state = acceptance.state(stage, runs.get(stage.name, []), [stage], probed, root)
        if state["state"] == acceptance.ACCEPTED:
            found.append(
                f"{state['message']}: want a run: `dvc repro -f -s {stage.name}`; of what was accepted on a probe, "
                f"`modelmake verify --rebuild {stage.name}` is proof too"
            )
        result += [f"{stage.name}: {problem}" for problem in found]
        elsewhere += state["state"] == acceptance.UNKNOWN
    return result, elsewhere


def _chain(stages: Stages, paths: list[str], known: "_Files") -> list[LockedStage]:
    """The stages that made files, back to what git has in the commit. Makers are known by their paths.

    Keys are in git too, but the code that they stand for is what preflight read: it is part of the chain.
    """
    queue, result = [*paths], dict[str, LockedStage]()
    while queue:
        path = queue.pop(0)
        for stage in _makers(stages, path):
            if stage.name not in result:
                result[stage.name] = stage
                queue += [
                    path for path, md5 in stage.deps.items() if key_file.is_in_folder(path) or known.md5(path) != md5
                ]
    return list(result.values())


def _makers(stages: Stages, path: str) -> list[LockedStage]:
    return [
        stage for stage in stages.values() if any(is_within(path, out) or is_within(out, path) for out in stage.outs)
    ]


class _Files:
    """The files of a commit, each hashed once."""

    def __init__(self, root: Path, commit: str, folder: str) -> None:
        self.root, self.commit, self.folder, self.hashes = root, commit, folder, dict[str, Files]()
        self.cache = stores.cache(root)

    def read(self, path: str) -> bytes | None:
        return next(iter(git.contents(self.root, [f"{self.commit}:{self.folder}{path}"])))

    def files(self, path: str) -> Files:
        """{relative path: MD5} of a folder, {"": MD5} of a file; empty where the commit has neither."""
        if path not in self.hashes:
            blobs = git.blobs(self.root, self.commit, path)
            read = git.contents(self.root, (blob.sha for blob in blobs.values()))
            self.hashes[path] = {name: artifacts.md5(content or b"") for name, content in zip(blobs, read, strict=True)}
        return self.hashes[path]

    def md5(self, path: str) -> str:
        """The hash of a file or folder as DVC has it; "" where the commit has neither."""
        files = self.files(path)
        return artifacts.files_md5(files) if files else ""

    def tracked(self, path: str) -> str | None:
        """The hash that a .dvc file of the commit records for a path; "" for a path in its folder; None without one."""
        above = path
        while above:
            if (content := self.read(f"{above}.dvc")) is not None:
                outs = values(content, f"{self.commit[:10]}:{above}.dvc").get("outs") or [{}]
                return outs[0].get("md5", "") if above == path else ""
            above = above.rpartition("/")[0]
        return None

    def made(self, path: str, makers: list[LockedStage]) -> str | None:
        """The hash of a path by what its makers wrote; None where a list of a folder is not in the cache."""
        files = dict(self.files(path))
        for out, md5 in ((out, md5) for maker in makers for out, md5 in maker.outs.items()):
            if out == path:
                return md5
            if is_within(path, out) or is_within(out, path):
                listing = read_listing(self.cache, md5) if md5.endswith(".dir") else {"": md5}
                if listing is None:
                    return None
                names = {join(out, name): md5 for name, md5 in listing.items()}
                files |= {name[len(path) :].lstrip("/"): md5 for name, md5 in names.items() if is_within(name, path)}
        return artifacts.files_md5(files) if files else ""


def _inputs(stage: LockedStage, stages: Stages, known: _Files) -> list[str]:
    problems = []
    for path, md5 in stage.deps.items():
        own = known.md5(path)
        if own == md5:
            continue
        if makers := _makers(stages, path):
            if known.made(path, makers) not in (md5, None):
                names = ", ".join(maker.name for maker in makers)
                problems.append(f"read another {path} than {names} wrote by this dvc.lock: run `dvc repro`")
        elif own:
            problems.append(f"read another {path} than the commit has: run `dvc repro` and commit dvc.lock")
        elif (tracked := known.tracked(path)) is None:
            problems.append(f"read {path}, which neither git nor this dvc.lock has: `git add` or `dvc add` it")
        elif tracked and tracked != md5:
            problems.append(f"read another {path} than {path}.dvc of the commit names: run `dvc repro`")
    return problems


def _declared(node: Recorded | None) -> Iterable[str]:
    """What dvc.yaml declares of a stage otherwise than dvc.lock records it."""
    if node is not None and "its command" in node.changed:
        yield "dvc.yaml has another command since: run `dvc repro`"
    for entry in (*node.deps, *node.outs) if node else ():
        if not entry.md5:
            yield f"dvc.yaml names {entry.path}, which dvc.lock does not record: run `dvc repro`"


def _parameters(stage: LockedStage, params: Mapping[str, dict[str, Any]]) -> Iterable[str]:
    for file, sections in (stage.record.get("params") or {}).items():
        for name, value in sections.items():
            now: Any = params[file]
            for part in name.split("."):
                now = now.get(part, ABSENT) if isinstance(now, dict) else ABSENT
            if now is ABSENT and value in (None, {}, []):
                continue  # `vars` of dvc.yaml stands in for a section that a params.yaml lacks
            now = None if now is ABSENT else now
            if json.loads(json.dumps(now, default=str)) != value:  # as lock_entries reads values
                yield f"built with another {file}: {name} than the commit has: run `dvc repro`"
