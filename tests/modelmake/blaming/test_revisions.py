"""Builds are read from git, and what is none is refused in one line."""

from pathlib import Path

import pytest

from modelmake.blaming import revisions
from modelmake.errors import UserError
from tests.made_up_history import MadeUpProject


@pytest.fixture
def project(tmp_path: Path) -> MadeUpProject:
    project = MadeUpProject(tmp_path / "project")
    project.stage("train", {"raw": "1"}, {"model": b"m"}, {"train": {"rate": 0.1}})
    return project


def refused(project: MadeUpProject, name: str) -> str:
    with pytest.raises(UserError) as error:
        revisions.read(project.root, name)
    return str(error.value)


def test_a_revision_has_its_commit_its_stages_and_its_files(project: MadeUpProject) -> None:
    commit = project.commit("first")
    project.git("tag", "v1")
    (project.root / "dvc.yaml").write_text("stages: {}\n")
    project.commit("second")
    read = revisions.read(project.root, "v1")

    assert (read.name, read.commit, read.short) == ("v1", commit, commit[:10])
    assert read.stages["train"].params == {"train.rate": 0.1}
    assert read.file(project.root, "dvc.yaml") == b""
    assert read.file(project.root, "none.json") is None


def test_a_commit_without_a_build_and_a_name_of_nothing_are_refused(project: MadeUpProject) -> None:
    (project.root / "dvc.lock").unlink(missing_ok=True)
    project.git("add", "-A")
    project.git("commit", "-qm", "nothing built")
    commit = project.git("rev-parse", "HEAD")[:10]

    assert refused(project, "HEAD") == (
        f"HEAD: commit {commit} has no dvc.lock: want the commit of a build; build it with `dvc repro` and commit"
    )
    assert (
        refused(project, "v9") == "v9: no such revision: want a commit, branch, tag or experiment; `git log` has them"
    )
    assert refused(project, "--all").startswith("--all: no such revision")


def test_a_lock_that_is_none_is_refused(project: MadeUpProject) -> None:
    (project.root / "dvc.lock").write_text("<<<<<<< HEAD\n")
    project.git("add", "-A")
    project.git("commit", "-qm", "conflict")

    assert "not a valid dvc.lock: <<<<<<< HEAD: want one that DVC wrote" in refused(project, "HEAD")


def test_a_working_tree_that_differs_from_head_is_refused(project: MadeUpProject) -> None:
    project.commit("first")
    revisions.check_clean(project.root)
    for name in "abcde":
        (project.root / name).write_text("1")

    with pytest.raises(UserError, match=r"^a, b, c and 2 more: not as in HEAD, and commits are compared: commit, or"):
        revisions.check_clean(project.root)


def test_a_stage_that_the_graph_has_no_longer_is_none_of_the_build(project: MadeUpProject) -> None:
    project.stage("calibrate", {}, {"matrix": b"m"})
    project.commit("before")
    (project.root / "keys").mkdir()
    (project.root / "keys/graph.json").write_text('{"train": {}, "report": {}}')
    project.commit("after")

    assert [*revisions.read(project.root, "HEAD~1").stages] == ["train", "calibrate"], "no graph: all of them"
    assert [*revisions.read(project.root, "HEAD").stages] == ["train"]
    assert [*revisions.working_tree(project.root).stages] == ["train"]
    (project.root / "keys/graph.json").write_text("<<<<<<<")
    with pytest.raises(UserError, match=r"^workspace: keys/graph.json: .*: want one that preflight wrote; build it"):
        revisions.working_tree(project.root)
