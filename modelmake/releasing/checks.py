"""Why a version may not be promoted: every reason at once."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from modelmake import git
from modelmake.domain import Domain
from modelmake.dvc import stores
from modelmake.dvc.stores import Store
from modelmake.errors import UserError
from modelmake.releasing import contents, provenance
from modelmake.releasing.contents import Read
from modelmake.verifying import rehash

MAX_NAMED = 3  # files


@dataclass
class Checked:
    """What was found."""

    problems: list[str] = field(default_factory=list)  # each a reason to refuse
    facts: list[str] = field(default_factory=list)  # what was looked at

    def add(self, check: Callable[[], None]) -> None:
        """Runs a check; an error of it is one more reason."""
        try:
            check()
        except UserError as error:
            self.problems += str(error).splitlines()


def reader(root: Path, commit: str, folder: str = "") -> Read:
    """Reads files of a commit of a repository, whose project is in a folder (with a slash)."""
    return lambda path: next(iter(git.contents(root, [f"{commit}:{folder}{path}"])))


def run(root: Path, domain: Domain, name: str, commit: str, folder: str) -> Checked:
    """Checks an artifact of a commit.

    Args:
        folder: of the project in the repository, with a slash.
    """
    checked = Checked()
    checked.add(lambda: _clean(root, checked))
    try:
        found = contents.recorded(name, reader(root, commit, folder))
    except UserError as error:
        checked.problems.append(f"{commit[:10]}: {error}")
        checked.add(lambda: _gates(root, domain, commit, "", [], checked))
        return checked
    paths = [found.path]
    checked.add(lambda: _gates(root, domain, commit, found.path, paths, checked))
    checked.add(lambda: _provenance(root, commit, folder, found, paths, checked))
    checked.add(lambda: _on_remote(root, found, checked))
    return checked


def _clean(root: Path, checked: Checked) -> None:
    if changed := git.changed(root):
        named = ", ".join(changed[:MAX_NAMED])
        more = f" and {len(changed) - MAX_NAMED} more" if len(changed) > MAX_NAMED else ""
        checked.problems.append(f"working tree: {named}{more} not committed: commit, or put them away (`git stash -u`)")


def _gates(root: Path, domain: Domain, commit: str, path: str, paths: list[str], checked: Checked) -> None:
    """Adds the files that decided to `paths`: gates of an older build would say nothing of this one."""
    reasons, files = domain.gates(root, commit, path)
    paths += files
    checked.problems += [f"gates of {commit[:10]}: {reason}" for reason in reasons]
    if not reasons:
        checked.facts.append("gates: ALLOW")


def _provenance(
    root: Path, commit: str, folder: str, found: contents.Recorded, paths: list[str], checked: Checked
) -> None:
    reasons, elsewhere = provenance.problems(root, commit, folder, found.stages, paths)
    checked.problems += [f"no provenance: {reason}" for reason in reasons]
    if not reasons:
        ran = f"; of {elsewhere} stages this machine has no record of a run" if elsewhere else ""
        checked.facts.append(f"provenance: dvc.lock has the chain from the data to {' and '.join(paths)}{ran}")


def _on_remote(root: Path, found: contents.Recorded, checked: Checked) -> None:
    """Reads every object of the artifact on the default remote: a name there says nothing of the bytes."""
    default, _ = stores.default_remote(root)
    if default is None:
        checked.problems.append("remote: none is configured: want the artifact on one; see docs/remotes.md")
        return
    store = stores.remote(root, default)
    missing: list[str] = []

    def listing(md5: str) -> bytes:
        try:
            content = stores.read(store, md5)
        except FileNotFoundError:
            missing.append(f"{store.where(md5)} (the list of a folder)")
            return b"[]"
        if not contents.intact(md5, content):
            raise UserError(f"{store.where(md5)}: other bytes than its name says: {_mend(store)}")
        return content

    try:
        files = contents.files(found, listing)
    except UserError as error:
        checked.problems += [] if missing else [str(error)]
        files = {}
    paths = {md5: path for path, md5 in files.items()}
    with rehash.Progress(f"rehashed on {store.name}", found.size) as progress:
        digests = rehash.objects(store, sorted(paths), progress)
    for md5, digest in digests.items():
        if digest is None:
            missing.append(paths[md5])
        elif digest.error or digest.md5 != md5:
            reason = digest.error or "other bytes than its name says"
            checked.problems.append(f"{store.where(md5)} ({paths[md5]}): {reason}: {_mend(store)}")
    if missing:
        more = f" and {len(missing) - MAX_NAMED} more" if len(missing) > MAX_NAMED else ""
        named = ", ".join(missing[:MAX_NAMED])
        checked.problems.append(f"remote {store.name}: lacks {named}{more}: run `dvc push {found.path}`")
    size = sum(digest.size for digest in digests.values() if digest)
    checked.facts.append(f"remote {store.name}: {len(digests)} objects, {size / 1e6:,.1f} MB, rehashed there")


def _mend(store: Store) -> str:
    return f"run `modelmake verify --remote {store.name} --replace` where the right ones are"
