"""Builds of every commit, of experiments and of the working tree, in an index that can be lost."""

import shutil

from tests.made_up_history import MadeUpProject
from tests.modelmake.tracing.kettle_build import build, consumed


def test_a_build_that_is_not_committed_is_traced(project: MadeUpProject) -> None:
    build(project, [["f"]], learning_rate=0.9)
    project.write()

    report = project.json("models/sft")

    assert (report["working_tree"], report["commits"]) == (True, [])
    assert report["output"] == "models/sft"
    assert report["consumed"][0]["rows"][0]["id"] == "f"


def test_commits_of_experiments_count_and_rewritten_ones_do_not(project: MadeUpProject) -> None:
    project.json("--row", "e")
    project.git("update-ref", "refs/exps/aa/bb/tried", "HEAD")  # where `dvc exp run` keeps its commits
    project.git("reset", "-q", "--hard", "HEAD~")
    assert [subject for subject, _, _ in consumed(project.json("--row", "e"))] == ["Second"]

    project.git("update-ref", "-d", "refs/exps/aa/bb/tried")

    (answer,) = project.json("--row", "e")["consumed"]
    assert (answer["commits"], answer["working_tree"]) == ([], False)


def test_a_lock_with_the_markers_of_a_merge_is_named(project: MadeUpProject) -> None:
    lock = project.root / "dvc.lock"
    lock.write_text("<<<<<<< HEAD\n" + lock.read_text())
    project.git("commit", "-qam", "Oh")

    report = project.json("--row", "e")

    assert [lock["problem"] for lock in report["unreadable"]] == ["not a valid dvc.lock: <<<<<<< HEAD"]
    assert [subject for subject, _, _ in consumed(report)] == ["Second"]


def test_an_index_that_is_no_database_is_replaced(project: MadeUpProject) -> None:
    before = project.json("--row", "e")
    (project.root / ".dvc/cache/modelmake/trace.sqlite").write_bytes(b"no database" * 1000)

    assert project.json("--row", "e") == before


def test_without_git_there_is_only_the_working_tree(project: MadeUpProject) -> None:
    shutil.rmtree(project.root / ".git")

    assert project.json("--row", "e")["consumed"][0]["working_tree"] is True


def test_a_repository_that_git_cannot_read_is_one_line(project: MadeUpProject) -> None:
    project.git("config", "core.repositoryFormatVersion", "99")

    code, output = project.trace("--row", "e")

    assert (code, output.count("\n")) == (1, 1)
    assert "want a repository that git can read" in output
