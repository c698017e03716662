"""What tags of GTO say: versions, stages, what was withdrawn, and what a rollback gives."""

import pytest

from modelmake.releasing import tags
from modelmake.releasing.tags import Artifact, Tag


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("model@v1.0.0", Tag("model@v1.0.0", "model", "c", version="v1.0.0")),
        ("model@v1.0.0-rc.1+b7#2", Tag("model@v1.0.0-rc.1+b7#2", "model", "c", version="v1.0.0-rc.1+b7", number=2)),
        ("model@v1.0.0!#4", Tag("model@v1.0.0!#4", "model", "c", version="v1.0.0", ends=True, number=4)),
        ("model#prod#12", Tag("model#prod#12", "model", "c", stage="prod", number=12)),
        ("a/b-c#prod!#3", Tag("a/b-c#prod!#3", "a/b-c", "c", stage="prod", ends=True, number=3)),
        ("sub/dir=model#prod", Tag("sub/dir=model#prod", "sub/dir:model", "c", stage="prod")),
        ("v1.0.0", None),
        ("model@1.0.0", None),
        ("model@v01.0.0", None),
        ("model@v1.0", None),
        ("model@deprecated", None),
        ("model#prod#3x", None),
    ],
)
def test_names_are_read_as_gto_writes_them(name: str, expected: Tag | None) -> None:
    assert tags.parse(name, "c") == expected


VERSIONS = ("model@v1.0.0", "model@v2.0.0", "model@v3.0.0")


def stage(*events: str, ended: tuple[str, ...] = ()) -> Artifact:
    """`1`, `2`: the version of that number came into prod; `!2`: it was taken out."""
    found = [tags.parse(name, name.partition("@v")[2][:1]) for name in (*VERSIONS, *ended)]
    for number, event in enumerate(events, 1):
        end = "!" if event.startswith("!") else ""
        found.append(tags.parse(f"model#prod{end}#{number}", event.removeprefix("!")))
    return tags.artifacts(tag for tag in found if tag)["model"]


@pytest.mark.parametrize(
    ("events", "now", "before"),
    [
        ("1", "v1.0.0", ""),
        ("1 2", "v2.0.0", "v1.0.0"),
        ("1 2 1", "v1.0.0", ""),
        ("1 2 3 2", "v2.0.0", "v1.0.0"),
        ("1 2 3 2 1", "v1.0.0", ""),
        ("1 2 1 3", "v3.0.0", "v1.0.0"),
        ("1 2 !2", None, "v1.0.0"),
        ("1 2 !1", "v2.0.0", ""),
        ("1 2 !2 3", "v3.0.0", "v1.0.0"),
        ("1 !1", None, ""),
        ("1 9", None, "v1.0.0"),  # a commit without a version
    ],
)
def test_a_rollback_gives_the_version_before(events: str, now: str | None, before: str) -> None:
    artifact = stage(*events.split())
    current = artifact.current("prod")
    assert (current and current.version, artifact.before("prod")) == (now, before)


def test_the_order_is_that_of_the_numbers_not_of_names_or_clocks() -> None:
    found = [tags.parse(name, name.partition("@v")[2][:1]) for name in VERSIONS]
    found += [tags.parse("model#prod#9", "1", timestamp=2000), tags.parse("model#prod#10", "2", timestamp=1000)]

    artifact = tags.artifacts(tag for tag in found if tag)["model"]
    assert artifact.current("prod").version == "v2.0.0"
    assert (artifact.number, artifact.timestamp) == (10, 2000)


def test_what_is_withdrawn_does_not_come_back() -> None:
    artifact = stage("1", "2", "3", ended=("model@v2.0.0!",))

    assert [*artifact.withdrawn] == ["v2.0.0"]
    assert artifact.before("prod") == "v1.0.0"
    assert stage("1", "2", ended=("model@v2.0.0!",)).current("prod").version == "v2.0.0", "told, not passed over"


def test_a_version_that_is_registered_again_is_no_longer_withdrawn() -> None:
    artifact = stage("1", ended=("model@v1.0.0!#4", "model@v1.0.0#5"))

    assert artifact.withdrawn == {}


def test_artifacts_are_told_apart_by_their_whole_names() -> None:
    names = ["model@v1.0.0", "model-2@v1.0.0", "sub=model@v1.0.0", "notes/v1"]
    found = tags.artifacts(tag for name in names if (tag := tags.parse(name, "c")))
    assert [*found] == ["model", "model-2", "sub:model"]
    assert tags.patterns("sub:model") == ["refs/tags/sub=model@*", "refs/tags/sub=model#*"]
