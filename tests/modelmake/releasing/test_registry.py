"""Tags are made all or none, once, and later than those before."""

import subprocess

import pytest

from modelmake.errors import UserError
from modelmake.releasing import registry
from modelmake.releasing.registry import Lost, New
from tests.modelmake.releasing.conftest import Team

FAR = 4_000_000_000  # Unix seconds: somebody's clock is ahead


def new(*names: str, commit: str) -> list[New]:
    return [New(name, commit, "because") for name in names]


def test_tags_reach_the_remote_and_this_clone(team: Team) -> None:
    commit = team.ada.git("rev-parse", "HEAD")
    registry.make(team.ada.root, "origin", new("model@v1.0.0", "model#prod#1", commit=commit), after=0)

    there = subprocess.run(["git", "tag"], cwd=team.url, capture_output=True, text=True, check=True).stdout.split()
    assert there == team.ada.tags() == ["model#prod#1", "model@v1.0.0"]
    version, stage = team.ada.artifact().versions["v1.0.0"], team.ada.artifact().stages["prod"][0]
    assert (version.commit, version.tagger) == (commit, "Ada <ada@example.org>")
    assert stage.timestamp > version.timestamp, "GTO orders by dates"


def test_a_tag_is_dated_after_those_before_though_a_clock_was_ahead(team: Team) -> None:
    commit = team.ada.git("rev-parse", "HEAD")
    registry.make(team.ada.root, "origin", new("model#prod#1", commit=commit), after=FAR)
    registry.make(team.ada.root, "origin", new("model#prod#2", commit=commit), after=team.ada.artifact().timestamp)

    assert [tag.timestamp for tag in team.ada.artifact().stages["prod"]] == [FAR + 1, FAR + 2]


@pytest.mark.parametrize("remote", ["origin", ""])
def test_of_two_with_one_name_one_wins_and_the_other_makes_nothing(team: Team, remote: str) -> None:
    commit = team.ada.git("rev-parse", "HEAD")
    ben = team.clone("ben") if remote else team.ada
    registry.make(team.ada.root, remote, new("model#prod#1", commit=commit), after=0)

    with pytest.raises(Lost):
        registry.make(ben.root, remote, new("model@v2.0.0", "model#prod#1", commit=commit), after=5)
    assert "model@v2.0.0" not in ben.tags(), "all or none"
    registry.fetch(team.ada.root, "origin", "model")
    assert team.ada.tags() == ["model#prod#1"]


def test_a_remote_that_refuses_is_an_error_and_no_race(team: Team) -> None:
    hook = team.url / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho no tags on Friday\nexit 1\n")
    hook.chmod(0o755)

    with pytest.raises(UserError, match="no tags on Friday"):
        registry.make(
            team.ada.root, "origin", new("model#prod#1", commit=team.ada.git("rev-parse", "HEAD")), after=0
        )  # fmt: skip
    assert team.ada.tags() == []


def test_a_tag_without_a_tagger_says_nothing(team: Team) -> None:
    team.ada.git("tag", "model@v1.0.0")

    assert registry.read(team.ada.root) == []


def test_the_remote_is_origin_or_the_only_one(team: Team) -> None:
    team.ada.git("remote", "add", "other", str(team.url))
    assert registry.remote_name(team.ada.root) == "origin"
    team.ada.git("remote", "remove", "origin")
    assert registry.remote_name(team.ada.root) == "other"
    team.ada.git("remote", "add", "third", str(team.url))
    with pytest.raises(UserError, match="other, third: want one named origin"):
        registry.remote_name(team.ada.root)
    team.ada.git("remote", "remove", "other")
    team.ada.git("remote", "remove", "third")
    assert registry.remote_name(team.ada.root) == ""


def test_a_tag_that_the_remote_has_otherwise_is_told(team: Team) -> None:
    team.ada.git("tag", "-am", "one", "model@v1.0.0")
    team.ada.git("push", "-q", "origin", "model@v1.0.0")
    ben = team.clone("ben")
    ben.git("tag", "-fam", "other", "model@v1.0.0")

    with pytest.raises(UserError, match="would clobber existing tag"):
        registry.fetch(ben.root, "origin", "model")
