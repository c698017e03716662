"""`modelmake release` does what it says, in a project, and pulls outside of any."""

import argparse
import contextlib
import io
import json
from pathlib import Path

import pytest

from modelmake.releasing import command
from tests.modelmake.releasing.conftest import JUDGED, Team, contents_of

ONE, TWO = {"m.safetensors": b"one" * 50}, {"m.safetensors": b"two" * 50}


def run(here: Path, *arguments: str) -> str:
    """What the command prints when it is run in a folder."""
    parser = argparse.ArgumentParser()
    command.arguments(parser)
    options = parser.parse_args(arguments, argparse.Namespace(here=here, domain=JUDGED))
    with contextlib.chdir(here), contextlib.redirect_stdout(io.StringIO()) as printed:
        assert command.run(options) == 0
    return printed.getvalue()


def test_the_life_of_two_releases(team: Team) -> None:
    root = team.ada.root
    team.ada.build(ONE)
    assert run(root, "promote", "v1.0.0", "staging").endswith("model v1.0.0: in staging; told origin\n")
    run(root, "promote", "v1.0.0", "prod")
    team.ada.build(TWO)
    run(root, "promote", "v2.0.0", "prod")
    assert run(root, "rollback", "model@prod") == "model v1.0.0: in prod, in place of v2.0.0; told origin\n"

    shown = run(root, "list").splitlines()
    assert shown[0] == "model"
    assert [line.split()[:2] for line in shown[2:4]] == [["staging", "v1.0.0"], ["prod", "v1.0.0"]]
    facts = json.loads(run(root, "list", "model", "--json"))["model"]
    assert [event["version"] for event in facts["stages"]["prod"]["history"]] == ["v1.0.0", "v2.0.0", "v1.0.0"]
    assert run(team.folder, "pull", "model@prod", "--from", "project.git").startswith("model v1.0.0 (prod), commit ")
    assert contents_of(team.folder / "model") == ONE


def test_only_stages_of_the_table_are_promoted_to(team: Team) -> None:
    with contextlib.redirect_stderr(io.StringIO()) as said, pytest.raises(SystemExit):
        run(team.ada.root, "promote", "v1.0.0", "production")
    assert "invalid choice: 'production' (choose from 'staging', 'prod')" in said.getvalue()


def test_pull_alone_needs_no_project() -> None:
    parser = argparse.ArgumentParser()
    command.arguments(parser)
    calls = {
        "pull": ["pull", "model@prod", "--from", "x"], "list": ["list"], "rollback": ["rollback", "prod"],
        "promote": ["promote", "v1.0.0", "prod"],
    }  # fmt: skip
    assert {name: parser.parse_args(words).anywhere for name, words in calls.items()} == {
        "pull": True, "list": False, "rollback": False, "promote": False
    }  # fmt: skip
