"""The two builds that are compared, as git has them."""

import json
from dataclasses import dataclass
from pathlib import Path

from modelmake import git
from modelmake.errors import UserError
from modelmake.tracing import lock_entries
from modelmake.tracing.history import LOCK
from modelmake.tracing.lock_entries import LockedStage

HEAD = "HEAD"
BUILD = "build it with `dvc repro` and commit"
MAX_NAMED = 3  # files of the working tree


@dataclass(frozen=True)
class Revision:
    """A commit with a build."""

    name: str  # as the user wrote it
    commit: str
    stages: dict[str, LockedStage]  # of its dvc.lock

    @property
    def short(self) -> str:
        return self.commit[:10]

    def file(self, root: Path, path: str) -> bytes | None:
        """The content of a file in the commit; None where it has none."""
        return next(git.contents(root, [f"{self.commit}:./{path}"]))


def read(root: Path, name: str) -> Revision:
    """The build of a revision.

    Raises:
        UserError: git knows no such revision, or it has no valid dvc.lock.
    """
    commit = git.commit_of(root, name)
    if not commit:
        raise UserError(f"{name}: no such revision: want a commit, branch or tag; `git log` has them")
    text = next(git.contents(root, [f"{commit}:./{LOCK}"]))
    if text is None:
        raise UserError(f"{name}: commit {commit[:10]} has no {LOCK}: want the commit of a build; {BUILD}")
    try:
        entries = lock_entries.parse(text, {})
    except ValueError as error:
        raise UserError(f"{name}: {LOCK} of commit {commit[:10]}: {error}: want one that DVC wrote; {BUILD}") from None
    stages = {stage: LockedStage(number, stage, json.loads(content)["record"])
              for number, (stage, content) in enumerate(entries)}  # fmt: skip
    return Revision(name, commit, stages)


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
