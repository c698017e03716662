"""`modelmake verify` in this process, on a small project to spoil."""

import argparse
import contextlib
import io
import json
import sys
from typing import Any

import pytest

from modelmake import artifacts
from modelmake.dvc import graph
from modelmake.verifying import verify as verify_command
from stages.commands.domain import DOMAIN
from tests.conftest import Project

MODELMAKE = (sys.executable, "-m", "stages.commands.cli")


@pytest.fixture
def project(small_project: Project) -> Project:
    return small_project


def command(project: Project, *arguments: str) -> tuple[int, dict[str, Any]]:
    """(exit code, printed JSON) of `modelmake verify --json`."""
    parser = argparse.ArgumentParser()
    verify_command.arguments(parser)
    options = parser.parse_args(["--json", *arguments], argparse.Namespace(domain=DOMAIN, here=project.path))
    with contextlib.chdir(project.path), contextlib.redirect_stdout(io.StringIO()) as printed:
        code = verify_command.run(options)
    return code, json.loads(printed.getvalue())


def verify(project: Project, *arguments: str) -> dict[str, Any]:
    """The JSON of `modelmake verify`, whose exit code must say whether anything is wrong."""
    code, result = command(project, *arguments)
    assert code == bool(result["wrong"])
    return result


def wrong(result: dict[str, Any]) -> set[tuple[str, str, str]]:
    """The (place, path, kind) of each finding."""
    return {(finding["place"], finding["path"], finding["kind"]) for finding in result["wrong"]}


def mend(project: Project, result: dict[str, Any]) -> None:
    """Runs the commands as printed, each of which must succeed."""
    for line in result["mend"]:
        code, output = project.run("bash", "-c", line.replace("modelmake ", f"{' '.join(MODELMAKE)} "))
        assert code == 0, f"{line}\n{output}"


def assert_unseen_by_dvc(project: Project) -> None:
    assert graph.stale(project.path) == {}


def object_name(project: Project, path: str) -> str:
    """The name of a file's object in the cache and on the remote."""
    md5 = artifacts.measure(project.path / path).md5
    return f"files/md5/{md5[:2]}/{md5[2:]}"
