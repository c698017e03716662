"""The table of edits: every one can be made, and names stages that are there."""

import subprocess

import pytest

from benchmarks.edits import KINDS
from benchmarks.edits.edit import ALL, OF_VARIANT, Edit
from modelmake.dvc import graph
from tests.conftest import Project, tiny

EDITS = {f"{kind}: {name}": edit for kind, table in KINDS.items() for name, edit in table.items()}
NEW = {
    "train@extra", "merge@extra", "calibrate@F16", "quantize@F16", "answer_quantized@F16", "parity@F16", "combine@both",
    "examine@last", *OF_VARIANT,
}  # fmt: skip


def git(project: Project, *words: str) -> str:
    named = ["-c", "user.name=t", "-c", "user.email=t@t"]
    return subprocess.run(["git", *named, *words], cwd=project.path, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = tiny(tmp_path_factory.mktemp("source"))
    git(project, "commit", "-qam", "tiny")
    return project


def test_the_table_has_every_kind_and_enough_of_them() -> None:
    assert len(EDITS) >= 85
    assert all(any(edit.suite for edit in table.values()) for table in KINDS.values())


def test_the_stages_of_the_table_are_those_of_the_graph(source: Project) -> None:
    assert graph.stages(source.path).keys() - {"preflight"} == ALL
    assert {stage for edit in EDITS.values() for stage in (*edit.must, *edit.may)} <= ALL | NEW


@pytest.mark.parametrize("name", [name for name in EDITS if not name.startswith("artifacts")])
def test_an_edit_changes_files_and_is_told_why(source: Project, name: str) -> None:
    edit: Edit = EDITS[name]
    if edit.before:
        edit.before(source)
        git(source, "add", "-A")
    before = git(source, "stash", "create") or git(source, "rev-parse", "HEAD")

    edit.change(source)
    git(source, "add", "-A")

    assert git(source, "diff", "--cached", "--stat", before.strip()), "nothing changed"
    assert edit.why
    git(source, "reset", "-q", "--hard")
