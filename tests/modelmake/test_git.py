"""A repository of three commits: a file and a folder of a project in a subfolder, with names that are hard to read."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelmake import git
from modelmake.errors import UserError
from modelmake.git import Blob, Commit

# hashes by `git hash-object` and md5sum
ONE, TWO, LF = (
    Blob("5626abf0f72e58d7a153368ba57db4c673c0e171", 4),  # "one\n"
    Blob("f719efd430d52bcfc8566a43b2eb655688d38871", 4),  # "two\n"
    Blob("8b137891791fe96927ad78e64b0aad7bded08bdc", 1),  # "\n"
)
MD5_ONE, MD5_TWO, MD5_LF = (
    "5bbf5a52328e7439ae6e719dfe712200",
    "c193497a1a06b2c72230e6146ff47080",
    "68b329da9893e34099c7d8ad5cb9c940",
)
FIRST, SECOND, THIRD = (  # of these authors, dates and files, so always the same
    "e344b71530cd404f45c5120e510382bbd89724f1",
    "589db595656ccf9c702a36a577310e1b914f005e",
    "80afef0772442c4df05f144f91f142d0dbc588e6",
)


def run(root: Path, *arguments: str, second: int = 0) -> str:
    """The output of a git command that commits as `t` at 1,700,000,000 s + `second`."""
    who = {f"GIT_{role}_{field}": "t" for role in ("AUTHOR", "COMMITTER") for field in ("NAME", "EMAIL")}
    when = {f"GIT_{role}_DATE": f"{1_700_000_000 + second} +0000" for role in ("AUTHOR", "COMMITTER")}
    done = subprocess.run(
        ["git", *arguments],
        cwd=root,
        env={**os.environ, **who, **when, "GIT_CONFIG_GLOBAL": os.devnull},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The project, in a subfolder of the repository; `raw` changes in the third commit only."""
    root = tmp_path / "project"
    (root / "raw/größe").mkdir(parents=True)
    run(tmp_path, "init", "-qb", "main")
    for second, content in enumerate(("one\n", "two\n")):
        (root / "key file.json").write_text(content)
        (root / "raw/größe/a*.txt").write_text("\n")
        (root / "raw/größe/ab.txt").write_text("one\n")
        run(tmp_path, "add", "-A")
        run(tmp_path, "commit", "-qm", f"Key\fof\u2028{content}", second=second)
    (root / "raw/größe/ab.txt").write_text("two\n")
    run(tmp_path, "commit", "-qam", "Raw\n\nIts body", second=2)
    return root


def test_commits_have_their_hash_time_and_whole_subject(root: Path) -> None:
    assert git.commits(root) == [
        Commit(THIRD, 1_700_000_002, "Raw"),
        Commit(SECOND, 1_700_000_001, "Key\fof\u2028two"),
        Commit(FIRST, 1_700_000_000, "Key\fof\u2028one"),
    ]
    assert git.head(root) == THIRD


def test_commits_of_branches_experiments_and_a_detached_head_count(root: Path) -> None:
    run(root, "update-ref", "refs/exps/aa/bb/tried", THIRD)  # where `dvc exp run` keeps its commits
    run(root, "reset", "-q", "--hard", FIRST)
    run(root, "checkout", "-q", "--detach")
    run(root, "commit", "-qm", "Detached", "--allow-empty", second=3)

    assert [commit.subject for commit in git.commits(root)] == [
        "Detached", "Raw", "Key\fof\u2028two", "Key\fof\u2028one",
    ]  # fmt: skip


def test_commits_that_touched_a_path_are_named_newest_first(root: Path) -> None:
    assert git.touching(root, "key file.json", 5) == [SECOND, FIRST]
    assert git.touching(root, "raw", 5) == [THIRD, FIRST]
    assert git.touching(root, "raw", 1) == [THIRD]
    assert git.touching(root, "raw/größe/a*.txt", 5) == [FIRST], "a name, no pattern"
    assert git.touching(root, "never", 5) == []


def test_a_folder_has_its_files_by_relative_path_and_a_file_an_empty_one(root: Path) -> None:
    assert git.blobs(root, SECOND, "raw") == {"größe/a*.txt": LF, "größe/ab.txt": ONE}
    assert git.blobs(root, THIRD, "raw/größe") == {"a*.txt": LF, "ab.txt": TWO}
    assert git.blobs(root, FIRST, "key file.json") == {"": ONE}
    assert git.blobs(root, THIRD, "never") == {}


def test_a_name_that_is_no_utf_8_is_read_back_as_the_file_system_has_it(root: Path) -> None:
    name = os.fsdecode(b"\xff.bin")
    try:
        (root / "raw" / name).write_text("one\n")
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    run(root, "add", "-A")
    run(root, "commit", "-qm", "Bytes")

    assert git.blobs(root, "HEAD", "raw")[name] == ONE
    assert git.hashes(root, [git.head(root)], f"raw/{name}") == [ONE.sha]
    assert list(git.contents(root, [f"HEAD:./raw/{name}"])) == [b"one\n"]


def test_the_hash_of_a_file_is_empty_where_a_commit_lacks_it(root: Path) -> None:
    run(root, "rm", "-q", "key file.json")
    run(root, "commit", "-qm", "Gone")

    commits = [git.head(root), THIRD, SECOND, FIRST]
    assert git.hashes(root, commits, "key file.json") == ["", TWO.sha, TWO.sha, ONE.sha]
    assert git.hashes(root, commits, "raw/größe/ab.txt") == [TWO.sha, TWO.sha, ONE.sha, ONE.sha]
    assert git.hashes(root, [], "key file.json") == []


def test_contents_are_streamed_and_missing_objects_are_none(root: Path) -> None:
    names = [LF.sha, "0" * 40, f"{FIRST}:./key file.json", f"{FIRST}:./no file", "HEAD:project/raw/größe/ab.txt"]

    stream = git.contents(root, names)

    assert next(stream) == b"\n"
    assert list(stream) == [None, b"one\n", None, b"two\n"]
    assert list(git.contents(root, [])) == []


def test_the_rest_of_a_stream_need_not_be_read(root: Path) -> None:
    (root / "large.bin").write_bytes(b"\0" * (1 << 20))  # more than a pipe holds
    run(root, "add", "-A")
    run(root, "commit", "-qm", "Large")

    stream = git.contents(root, [ONE.sha, "HEAD:./large.bin"])

    assert next(stream) == b"one\n"
    stream.close()


def test_versions_are_distinct_and_in_the_order_of_the_commits(root: Path) -> None:
    assert git.versions(root, [FIRST, SECOND, THIRD], "key file.json") == [b"one\n", b"two\n"]
    assert git.versions(root, [THIRD, SECOND, FIRST], "key file.json") == [b"two\n", b"one\n"]
    assert git.versions(root, [FIRST], "never") == []


def test_what_is_committed_is_named_by_md5_whatever_the_workspace_has(root: Path) -> None:
    (root / "key file.json").write_text("edited")
    (root / "raw/new.txt").write_text("not added")

    assert git.committed(root, "key file.json") == {"": MD5_TWO}
    assert git.committed(root, "raw") == {"größe/a*.txt": MD5_LF, "größe/ab.txt": MD5_TWO}
    assert git.committed(root, "raw/new.txt") == {}
    run(root, "reset", "-q", "--hard", FIRST)
    assert git.committed(root, "raw/größe/ab.txt") == {"": MD5_ONE}


def test_a_path_outside_the_repository_is_in_no_commit(root: Path, tmp_path: Path) -> None:
    outside = str(tmp_path.parent / "rows.txt")

    assert (git.committed(root, outside), git.touching(root, outside, 5)) == ({}, [])


def test_before_the_first_commit_there_is_nothing(tmp_path: Path) -> None:
    run(tmp_path, "init", "-q")

    assert (git.head(tmp_path), git.commits(tmp_path)) == ("", [])
    assert (git.touching(tmp_path, "raw", 5), git.committed(tmp_path, "raw")) == ([], {})


def test_outside_a_repository_there_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "de")  # git's messages are read, so must be English

    assert (git.head(tmp_path), git.commits(tmp_path)) == ("", [])
    assert (git.touching(tmp_path, "raw", 5), git.committed(tmp_path, "raw")) == ([], {})
    assert git.blobs(tmp_path, "HEAD", "raw") == {}
    assert list(git.contents(tmp_path, ["HEAD:raw", "HEAD:rows"])) == [None, None]


CALLS: dict[str, Callable[[Path], Any]] = {
    "head": git.head,
    "commits": git.commits,
    "touching": lambda root: git.touching(root, "raw", 5),
    "blobs": lambda root: git.blobs(root, "HEAD", "raw"),
    "hashes": lambda root: git.hashes(root, [FIRST], "raw"),
    "contents": lambda root: list(git.contents(root, [ONE.sha])),
    "versions": lambda root: git.versions(root, [FIRST], "key file.json"),
    "committed": lambda root: git.committed(root, "raw"),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_repository_that_git_refuses_is_an_error_and_not_empty(root: Path, call: str) -> None:
    run(root, "config", "core.repositoryFormatVersion", "99")

    with pytest.raises(UserError, match=r"project: git [\w-]+: .*99: want a repository that git can read$"):
        CALLS[call](root)


def test_a_repository_whose_objects_are_lost_is_an_error_and_not_empty(root: Path, tmp_path: Path) -> None:
    for path in (tmp_path / ".git/objects").rglob("*"):
        if path.is_file():
            path.chmod(0o600)
            path.unlink()

    for call in ("commits", "touching", "blobs", "committed"):
        with pytest.raises(UserError, match=r"want a repository that git can read$"):
            CALLS[call](root)


def test_a_machine_without_git_is_told_to_install_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    for call in ("head", "contents"):
        with pytest.raises(UserError, match=r"^git: not installed: want git on the PATH; install it$"):
            CALLS[call](root)


def test_files_that_differ_from_head_are_edited_staged_new_or_gone_and_below_the_project(root: Path) -> None:
    assert git.changed(root) == []

    (root / "raw/größe/ab.txt").unlink()
    (root / "key file.json").write_text("three\n")
    (root / "new é.txt").write_text("new")
    (root / "staged.txt").write_text("staged")
    run(root, "add", "staged.txt")
    (root / ".gitignore").write_text("ignored.txt\n")
    (root / "ignored.txt").write_text("ignored")
    (root.parent / "beside.txt").write_text("beside")

    assert sorted(git.changed(root)) == [".gitignore", "key file.json", "new é.txt", "raw/größe/ab.txt", "staged.txt"]


def test_a_revision_of_any_kind_names_its_commit_and_nothing_else_does(root: Path) -> None:
    run(root, "tag", "-a", "v1", "-m", "first", FIRST)
    names = ("v1", FIRST[:8], "main", "HEAD~1", "HEAD^{tree}", "none", "--all", "")

    assert [git.commit_of(root, name) for name in names] == [FIRST, FIRST, THIRD, SECOND, "", "", "", ""]
