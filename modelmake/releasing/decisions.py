"""Promotes a version into a stage, and gives the one before back. Nothing is ever deleted or moved: tags are added."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from modelmake import git
from modelmake.domain import Domain
from modelmake.dvc import internals
from modelmake.errors import UserError
from modelmake.releasing import checks, registry, tags
from modelmake.releasing.registry import Lost, New
from modelmake.releasing.tags import Artifact


@dataclass(frozen=True)
class Target:
    """What a command is about: a version or stage of an artifact."""

    artifact: str  # with the project's folder, as tags name it
    what: str
    folder: str = ""  # of the project in the repository, with a slash


def target(root: Path, words: str) -> Target:
    """`prod`, `v1.0.0`, or one of them after the name of an artifact and an @.

    Raises:
        UserError: the name is left out, and dvc.yaml has not exactly one artifact; or it is of another project.
    """
    name, _, what = words.rpartition("@")
    if not name:
        names = sorted(internals.artifact_paths(root))
        if len(names) != 1:
            known = ", ".join(f"{known}@{what}" for known in names) or "an artifact in dvc.yaml: `artifacts:`"
            raise UserError(f"release: {what}: of which artifact? want {known}")
        name = names[0]
    folder = registry.project_folder(root)
    own = f"{folder.rstrip('/')}:{name}" if folder and ":" not in name else name
    if not tags.NAME.fullmatch(own):
        raise UserError(f"release: {own!r}: no name of an artifact: want letters, digits, - and _ as in dvc.yaml")
    above = own.rpartition(":")[0]
    if above != folder.rstrip("/"):
        raise UserError(f"release: {own}: of the project in {above}/: want one of this project; run it in {above}/")
    return Target(own, what, folder)


def promote(root: Path, domain: Domain, words: str, stage: str) -> list[str]:
    """Puts a version into a stage; registers it at HEAD first, if no tag has. Returns what was done, a line each.

    Raises:
        UserError: it may not be promoted, with every reason; or somebody else was first.
    """
    asked = target(root, words)
    if not tags.VERSION.fullmatch(asked.what):
        raise UserError(f"release: {asked.what!r}: no version: want v1.2.0, v and a semantic version")
    remote, artifact = _read(root, asked)
    head, registered = git.head(root), artifact.versions.get(asked.what)
    commit = registered.commit if registered else head
    problems = _of_tags(artifact, asked.what, stage, commit)
    if not commit:
        raise UserError("git: no commit yet: want one with a build")
    checked = checks.run(root, domain, asked.artifact, commit, asked.folder)
    problems += checked.problems
    if problems:
        raise UserError("\n".join([f"{asked.artifact} {asked.what} is not promoted to {stage}:", *problems]))
    new = [] if registered else [
        New(tags.version_tag(asked.artifact, asked.what), commit,
            f"Registering artifact {asked.artifact} version {asked.what}")
    ]  # fmt: skip
    new.append(_assignment(artifact, asked.what, stage, commit, "Assigning stage"))
    was = artifact.current(stage)
    _make(root, remote, artifact, asked.what, stage, new)
    lines = [*checked.facts]
    if not registered:
        lines.append(f"{asked.artifact} {asked.what}: registered at {commit[:10]}")
    return [*lines, _done(artifact, asked.what, stage, remote, was.version if was else "")]


def rollback(root: Path, words: str) -> list[str]:
    """Gives a stage the version that it had before; only git is asked. Returns what was done.

    Raises:
        UserError: there was none before, or somebody else was first.
    """
    asked = target(root, words)
    stage = asked.what
    remote, artifact = _read(root, asked)
    if stage not in artifact.stages:
        raise UserError(f"{artifact.name}: nothing was ever in {stage}: want a stage of {_stages(artifact)}")
    version = artifact.before(stage)
    was = artifact.current(stage)
    if not version:
        held = f"{was.version} is the first there" if was else "nothing is there"
        raise UserError(f"{artifact.name}: no version to give back to {stage}: {held}; promote another")
    commit = artifact.versions[version].commit
    new = [_assignment(artifact, version, stage, commit, "Rolling back stage")]
    _make(root, remote, artifact, version, stage, new)
    return [_done(artifact, version, stage, remote, was.version if was else "")]


def date(timestamp: int) -> str:
    """A time in UTC, to the minute."""
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d %H:%M")


def _read(root: Path, asked: Target) -> tuple[str, Artifact]:
    """(the remote, what its tags and those here say of the artifact)."""
    remote = registry.remote_name(root)
    if remote:
        registry.fetch(root, remote, asked.artifact)
    return remote, registry.artifact(root, asked.artifact)


def _of_tags(artifact: Artifact, version: str, stage: str, commit: str) -> list[str]:
    """The reasons against a promotion that the tags know."""
    problems = []
    if gone := artifact.withdrawn.get(version):
        problems.append(f"{version}: withdrawn {date(gone.timestamp)} by {gone.tagger}: want another version")
    current = artifact.current(stage)
    if current and current.version == version and not gone:
        problems.append(f"{version}: in {stage} since {date(current.tag.timestamp)}: nothing to do")
    other = artifact.version_of(commit)
    if version not in artifact.versions and other:
        problems.append(f"{version}: HEAD is {other} already: run `release promote {other} {stage}`, or commit first")
    return problems


def _assignment(artifact: Artifact, version: str, stage: str, commit: str, words: str) -> New:
    name = tags.stage_tag(artifact.name, stage, artifact.number + 1)
    return New(name, commit, f"{words} {stage} to artifact {artifact.name} version {version}")


def _make(root: Path, remote: str, artifact: Artifact, version: str, stage: str, new: list[New]) -> None:
    """Makes tags that put a version into a stage. A version that is registered in this clone alone is shared too."""
    registered = [artifact.versions[version].name] if version in artifact.versions else []
    try:
        registry.make(root, remote, new, artifact.timestamp, registered)
    except Lost:
        if remote:
            registry.fetch(root, remote, artifact.name)
        found = registry.read(root)
        theirs = next((tag for tag in found if tag.name in {own.name for own in new}), None)
        first = f"{theirs.tagger} was first, with {theirs.name} at {date(theirs.timestamp)}" if theirs else (
            f"a tag {' or '.join(own.name for own in new)} is there already"
        )  # fmt: skip
        current = tags.artifacts(found).get(artifact.name, artifact).current(stage)
        holds = f"{stage} has {current.version} now" if current else f"nothing is in {stage} now"
        raise UserError(
            f"{artifact.name}: {first}: {holds}; nothing of yours was done; look at `modelmake release list` and "
            "decide again"
        ) from None


def _done(artifact: Artifact, version: str, stage: str, remote: str, was: str) -> str:
    where = f"told {remote}" if remote else "in this clone alone: the repository has no remote"
    return f"{artifact.name} {version}: in {stage}{f', in place of {was}' if was and was != version else ''}; {where}"


def _stages(artifact: Artifact) -> str:
    return ", ".join(artifact.stages) or f"an artifact that was promoted; {artifact.name} never was"
