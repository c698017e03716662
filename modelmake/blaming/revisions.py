"""Builds that are compared, as git or the working tree has them."""

import json
from dataclasses import dataclass
from pathlib import Path

from modelmake import git
from modelmake.dvc import experiments
from modelmake.errors import UserError
from modelmake.keys import key_file
from modelmake.tracing import lock_entries
from modelmake.tracing.history import LOCK
from modelmake.tracing.lock_entries import LockedStage

GRAPH = f"{key_file.FOLDER}/{key_file.GRAPH}"
HEAD = "HEAD"
WORKSPACE = "workspace"  # what DVC calls the working tree beside commits
BUILD = "build it with `dvc repro` and commit"
MAX_NAMED = 3  # files of the working tree


@dataclass(frozen=True)
class Revision:
    """A build of a commit, or of the working tree."""

    name: str  # as the user wrote it
    commit: str  # "" of the working tree
    stages: dict[str, LockedStage]  # of its dvc.lock; what its graph has no longer stays in there, and is left out

    @property
    def short(self) -> str:
        return self.commit[:10]

    def file(self, root: Path, path: str) -> bytes | None:
        """The content of a file in the commit or in the working tree; None where it has none."""
        if not self.commit:
            return (root / path).read_bytes() if (root / path).is_file() else None
        return next(git.contents(root, [f"{self.commit}:./{path}"]))


def read(root: Path, name: str) -> Revision:
    """The build of a revision, or of an experiment of DVC.

    Raises:
        UserError: there is no such revision, or it has no valid dvc.lock.
    """
    commit = experiments.commit_of(root, name)
    if not commit:
        raise UserError(f"{name}: no such revision: want a commit, branch, tag or experiment; `git log` has them")
    text, graph = git.contents(root, [f"{commit}:./{path}" for path in (LOCK, GRAPH)])
    if text is None:
        raise UserError(f"{name}: commit {commit[:10]} has no {LOCK}: want the commit of a build; {BUILD}")
    return Revision(name, commit, _stages(text, graph, name, f" of commit {commit[:10]}"))


def working_tree(root: Path) -> Revision:
    """The last build in the working tree, stale or not.

    Raises:
        UserError: it has no valid dvc.lock.
    """
    if not (root / LOCK).is_file():
        raise UserError(f"{WORKSPACE}: no {LOCK}: want a build; run `dvc repro`")
    graph = (root / GRAPH).read_bytes() if (root / GRAPH).is_file() else None
    return Revision(WORKSPACE, "", _stages((root / LOCK).read_bytes(), graph, WORKSPACE, ""))


def _stages(text: bytes, graph: bytes | None, name: str, commit: str) -> dict[str, LockedStage]:
    """The stages of a dvc.lock that the graph of its build has; all where git has no graph."""
    try:
        entries = lock_entries.parse(text, {})
    except ValueError as error:
        raise UserError(f"{name}: {LOCK}{commit}: {error}: want one that DVC wrote; {BUILD}") from None
    try:
        known = dict(entries) if graph is None else json.loads(graph)
    except ValueError as error:
        raise UserError(f"{name}: {GRAPH}{commit}: {error}: want one that preflight wrote; {BUILD}") from None
    return {stage: LockedStage(number, stage, json.loads(content)["record"])
            for number, (stage, content) in enumerate(entries) if stage in known}  # fmt: skip


def check_clean(root: Path) -> None:
    """Checks that the working tree is that of HEAD, which is compared in its place.

    Raises:
        UserError: a file differs from HEAD, or git neither has nor ignores it.
    """
    if changed := git.changed(root):
        more = f" and {len(changed) - MAX_NAMED} more" if len(changed) > MAX_NAMED else ""
        raise UserError(
            f"{', '.join(changed[:MAX_NAMED])}{more}: not as in HEAD, and commits are compared: commit, or name the "
            "second revision"
        )
