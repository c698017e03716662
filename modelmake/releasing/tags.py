"""What GTO's tags say: the versions of an artifact and the stages that they are in.

`model@v1.0.0` registers a version at its commit, `model@v1.0.0!` withdraws it. `model#prod#3` puts the version of its
commit into a stage, `model#prod!#4` takes it out. The last number counts what happened to the artifact: who makes the
next tag takes the next number, and git lets one tag alone have a name. So the order is that of the numbers.
The artifact of a project in a folder of its repository is `folder:model`, in tags `folder=model`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

STAGES = ("staging", "prod")  # into which `promote` puts a version
_WORD = r"[a-zA-Z0-9](?:[a-zA-Z0-9_/-]*[a-zA-Z0-9])?"
_IDENTIFIER = r"(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)"
_VERSION = (
    r"v(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)"
    rf"(?:-{_IDENTIFIER}(?:\.{_IDENTIFIER})*)?(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?"
)
VERSION = re.compile(_VERSION, re.ASCII)  # as semver.org has it, after a `v`
NAME = re.compile(rf"(?:[a-zA-Z0-9_./-]+:)?{_WORD}")
_TAG = re.compile(
    rf"(?P<artifact>(?:[a-zA-Z0-9_./-]+=)?{_WORD})(?:@(?P<version>{_VERSION})|#(?P<stage>{_WORD}))(?P<end>!?)"
    r"(?:#(?P<number>\d+))?",
    re.ASCII,
)


@dataclass(frozen=True)
class Tag:
    """A tag that registers, withdraws, puts in a stage or takes out of one."""

    name: str  # without refs/tags/
    artifact: str  # with the folder of its project: folder:model
    commit: str
    version: str = ""
    stage: str = ""  # either a version or a stage
    ends: bool = False  # it withdraws the version, or takes it out of the stage
    number: int = 0
    timestamp: int = 0  # Unix seconds; 0 where the tag itself was not read
    tagger: str = ""  # name and address


@dataclass(frozen=True)
class Assigned:
    """A version in a stage."""

    version: str
    tag: Tag


@dataclass
class Artifact:
    """Everything that tags say of one artifact."""

    name: str
    versions: dict[str, Tag] = field(default_factory=dict)  # the tag that registered it, oldest number first
    withdrawn: dict[str, Tag] = field(default_factory=dict)
    stages: dict[str, list[Tag]] = field(default_factory=dict)  # in order
    number: int = 0  # the highest yet
    timestamp: int = 0  # the latest yet

    def version_of(self, commit: str) -> str:
        """The version at a commit, of several the last that is not withdrawn; "" where none is registered there."""
        own = [version for version, tag in self.versions.items() if tag.commit == commit]
        return ([version for version in own if version not in self.withdrawn] or own or [""])[-1]

    def current(self, stage: str) -> Assigned | None:
        """What a stage was given last, even if that was withdrawn since; None if it was taken out, or never filled."""
        current: Assigned | None = None
        for tag in self.stages.get(stage, []):
            version = self.version_of(tag.commit)
            if not tag.ends:
                current = Assigned(version, tag) if version else None
            elif current and current.version == version:
                current = None
        return current

    def before(self, stage: str) -> str:
        """The version that a rollback gives back; "" where there is none.

        A version that comes again ends everything after its first time: of v1, v2, v3, v2 the one before is v1. What
        was withdrawn, or taken out of the stage, does not come back.
        """
        order: list[str] = []
        for tag in self.stages.get(stage, []):
            version = self.version_of(tag.commit)
            if tag.ends:
                order = [other for other in order if other != version]
            elif version:
                order = [*(order[: order.index(version)] if version in order else order), version]
        current = self.current(stage)
        gone = {*self.withdrawn, *([current.version] if current else [])}
        return next((version for version in reversed(order) if version not in gone), "")


def parse(name: str, commit: str, timestamp: int = 0, tagger: str = "") -> Tag | None:
    """The tag with a name; None for a tag that is none of GTO's."""
    found = _TAG.fullmatch(name)
    if found is None:
        return None
    artifact, number = found["artifact"].replace("=", ":"), int(found["number"] or 0)
    version, stage, ends = found["version"] or "", found["stage"] or "", bool(found["end"])
    return Tag(name, artifact, commit, version, stage, ends, number, timestamp, tagger)


def artifacts(tags: Iterable[Tag]) -> dict[str, Artifact]:
    """{name: artifact}, by name. Of tags with one number that which ends something is the later one."""
    result: dict[str, Artifact] = {}
    for tag in sorted(tags, key=lambda tag: (tag.artifact, tag.number, tag.ends, tag.timestamp, tag.name)):
        artifact = result.setdefault(tag.artifact, Artifact(tag.artifact))
        artifact.number, artifact.timestamp = max(artifact.number, tag.number), max(artifact.timestamp, tag.timestamp)
        if tag.stage:
            artifact.stages.setdefault(tag.stage, []).append(tag)
        elif tag.ends:
            artifact.withdrawn[tag.version] = tag
        else:
            artifact.withdrawn.pop(tag.version, None)  # registered again
            artifact.versions[tag.version] = tag
    return result


def patterns(artifact: str) -> list[str]:
    """The patterns of the refs of an artifact's tags."""
    name = artifact.replace(":", "=")
    return [f"refs/tags/{name}@*", f"refs/tags/{name}#*"]


def version_tag(artifact: str, version: str) -> str:
    """The name of the tag that registers a version."""
    return f"{artifact.replace(':', '=')}@{version}"


def stage_tag(artifact: str, stage: str, number: int) -> str:
    """The name of the tag that puts a version into a stage."""
    return f"{artifact.replace(':', '=')}#{stage}#{number}"
