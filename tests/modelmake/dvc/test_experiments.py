"""Experiments are found by their names, as DVC keeps them in git, and a name of two things is no guess."""

from pathlib import Path

import pytest

from modelmake.dvc import experiments
from modelmake.errors import UserError
from tests.made_up_history import MadeUpProject


@pytest.fixture
def project(tmp_path: Path) -> MadeUpProject:
    project = MadeUpProject(tmp_path / "project")
    project.commit("first")
    return project


def experiment(project: MadeUpProject, name: str, subject: str) -> str:
    """Commits an experiment on HEAD, as `dvc exp` does; returns its commit."""
    base = project.git("rev-parse", "HEAD")
    commit = project.commit(subject)
    project.git("reset", "-q", "--hard", base)
    project.git("update-ref", f"refs/exps/{base[:2]}/{base[2:]}/{name}", commit)
    return commit


def test_a_name_is_that_of_an_experiment_or_of_a_commit(project: MadeUpProject) -> None:
    head = project.git("rev-parse", "HEAD")
    found = experiment(project, "r8", "an experiment")
    project.git("update-ref", "refs/exps/exec/EXEC_HEAD", head)
    project.git("update-ref", "refs/exps/stash", found)

    assert experiments.commit_of(project.root, "r8") == found
    assert experiments.commit_of(project.root, "main") == head
    assert [experiments.commit_of(project.root, name) for name in ("EXEC_HEAD", "stash", "r", "none")] == [""] * 4


def test_a_name_of_two_commits_is_refused_with_both(project: MadeUpProject) -> None:
    first = experiment(project, "r8", "on the first")
    project.commit("second")
    second = experiment(project, "r8", "on the second")
    both = ", ".join(sorted((first[:10], second[:10])))

    with pytest.raises(UserError, match=f"^r8: 2 commits have this name, .*: want one of {both}$"):
        experiments.commit_of(project.root, "r8")
    project.git("tag", "r8", second)
    with pytest.raises(UserError, match=r"^r8: 2 commits"):
        experiments.commit_of(project.root, "r8")
    assert experiments.commit_of(project.root, first[:12]) == first
