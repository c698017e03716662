"""The tags of releases in git: read, brought from the remote, and made, each at most once."""

import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from modelmake import git
from modelmake.errors import UserError
from modelmake.releasing import tags
from modelmake.releasing.tags import Artifact, Tag

FORMAT = "%00".join(
    f"%({name})" for name in ("refname", "*objecttype", "*objectname", "taggerdate:unix", "taggername", "taggeremail")
)


class Lost(Exception):
    """Somebody else's tag has the name: they decided first."""


@dataclass(frozen=True)
class New:
    """A tag to make."""

    name: str
    commit: str
    message: str


def read(root: Path) -> list[Tag]:
    """The tags of releases that a clone has. Those without a tagger (lightweight ones) say nothing to GTO either."""
    found = []
    for line in command(root, "for-each-ref", f"--format={FORMAT}", "refs/tags").split("\n")[:-1]:
        ref, kind, commit, date, tagger, address = line.split("\0")
        if kind == "commit" and (tag := tags.parse(ref.removeprefix("refs/tags/"), commit, int(date or 0),
                                                   f"{tagger} {address}".strip())):  # fmt: skip
            found.append(tag)
    return found


def artifact(root: Path, name: str) -> Artifact:
    """What the tags of a clone say of an artifact."""
    return tags.artifacts(read(root)).get(name) or Artifact(name)


def project_folder(root: Path) -> str:
    """The folder of the project in its repository, with a slash; "" for the top."""
    return command(root, "rev-parse", "--show-prefix").strip()


def remote_name(root: Path) -> str:
    """The remote of git on which tags are shared; "" where the repository has none.

    Raises:
        UserError: there are several, and none is origin.
    """
    names = command(root, "remote").split()
    if len(names) > 1 and "origin" not in names:
        raise UserError(f"git: remotes {', '.join(names)}: want one named origin, where tags of releases are shared")
    return "origin" if "origin" in names else "".join(names)


def fetch(root: Path, remote: str, name: str) -> None:
    """Brings the remote's tags of an artifact.

    Raises:
        UserError: the remote cannot be reached, or has another tag of a name than this clone.
    """
    command(root, "fetch", "--no-tags", remote, *(f"{pattern}:{pattern}" for pattern in tags.patterns(name)))


def make(root: Path, remote: str, new: Sequence[New], after: int, known: Sequence[str] = ()) -> None:
    """Makes annotated tags, all or none: on the remote first, if there is one, and then here.

    Args:
        after: Unix seconds; the tags are dated later, because GTO goes by dates and its tools must see the same order.
        known: tags of this clone that the new ones mean nothing without; the remote gets those that it lacks too.

    Raises:
        Lost: a tag of such a name is there already.
        UserError: git cannot make or push them; no tag is made.
    """
    date = max(int(time.time()), after + 1)
    objects = {tag.name: _write(root, tag, date + n) for n, tag in enumerate(new)}
    if remote:
        refspecs = [f"{sha}:refs/tags/{name}" for name, sha in objects.items()]
        refspecs += [f"refs/tags/{name}:refs/tags/{name}" for name in known]
        pushed = _run(root, "push", "-q", "--atomic", remote, *refspecs)
        if pushed.returncode:
            there = command(root, "ls-remote", remote, *(f"refs/tags/{name}" for name in objects)).split()
            if not {*objects.values()} <= {*there}:  # else it arrived, and the answer alone was lost
                if there:
                    raise Lost
                raise UserError(_problem(root, "push", pushed.stderr))
    created = "".join(f"create refs/tags/{name} {sha}\n" for name, sha in objects.items())
    local = _run(root, "update-ref", "--stdin", stdin=created)
    if local.returncode and not remote:
        if any(_run(root, "rev-parse", "-q", "--verify", f"refs/tags/{name}").returncode == 0 for name in objects):
            raise Lost
        raise UserError(_problem(root, "update-ref", local.stderr))


def _write(root: Path, tag: New, date: int) -> str:
    """Writes the object of a tag, which no name leads to yet; returns its hash."""
    who = command(root, "var", "GIT_COMMITTER_IDENT", date=f"{date} +0000").strip()
    text = f"object {tag.commit}\ntype commit\ntag {tag.name}\ntagger {who}\n\n{tag.message}\n"
    return command(root, "mktag", stdin=text).strip()


def command(root: Path, *arguments: str, stdin: str = "", date: str = "") -> str:
    """The output of a git command.

    Raises:
        UserError: it failed, in git's words.
    """
    done = _run(root, *arguments, stdin=stdin, date=date)
    if done.returncode:
        raise UserError(_problem(root, arguments[0], done.stderr))
    return done.stdout


def _run(root: Path, *arguments: str, stdin: str = "", date: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **git.ENVIRONMENT} | ({"GIT_COMMITTER_DATE": date} if date else {})
    try:
        return subprocess.run(
            [*git.GIT, *arguments], cwd=root, env=environment, input=stdin, capture_output=True, text=True,
            encoding="utf-8", errors="replace",
        )  # fmt: skip
    except FileNotFoundError:
        raise UserError("git: not installed: want git on the PATH; install it") from None


def _problem(root: Path, name: str, message: str) -> str:
    return f"{root.absolute()}: git {name}: {' '.join(message.split())}: want git to do this; see its message"
