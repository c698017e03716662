"""The content with an MD5 is found in the workspace or in any commit that changed the path."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from modelmake import artifacts
from modelmake.planning import recorded_content


def commit(root: Path) -> None:
    for command in (["add", "-A"], ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "t"]):
        subprocess.run(["git", *command], cwd=root, check=True)


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project in a folder of a repository: three versions of a file and a folder, the last uncommitted."""
    root = tmp_path / "project"
    (root / "raw/inner").mkdir(parents=True)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    for version in ("one", "two", "three"):
        (root / "key.json").write_text(version)
        (root / "raw/rows.txt").write_text(version)
        (root / "raw/inner/größe.bin").write_bytes(b"\n\0\n" + version.encode())
        if version != "three":
            commit(tmp_path)
    return root


@pytest.mark.parametrize("version", ["one", "two", "three"])
def test_a_file_is_found_on_disk_and_in_git(root: Path, version: str) -> None:
    assert recorded_content.file(root, "key.json", md5(version)) == version.encode()


def test_a_folder_is_found_in_git_with_all_its_files(root: Path) -> None:
    (root / "raw/rows.txt").write_text("two")
    (root / "raw/inner/größe.bin").write_bytes(b"\n\0\ntwo")
    two = artifacts.measure(root / "raw")
    (root / "raw/rows.txt").write_text("four")

    assert recorded_content.folder(root, "raw", two.md5) == {name: file.md5 for name, file in two.files.items()}


def test_content_that_never_was_is_not_found(root: Path) -> None:
    assert recorded_content.file(root, "key.json", md5("four")) is None
    assert recorded_content.file(root, "never.json", md5("one")) is None
    assert recorded_content.folder(root, "raw", md5("four") + ".dir") is None


def test_without_git_there_is_only_the_workspace(tmp_path: Path) -> None:
    (tmp_path / "key.json").write_text("one")

    assert recorded_content.file(tmp_path, "key.json", md5("one")) == b"one"
    assert recorded_content.file(tmp_path, "key.json", md5("two")) is None


def test_a_folder_too_large_to_hash_is_not_searched(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded_content, "MAX_BYTES", 5)
    (root / "raw/rows.txt").write_text("two")
    (root / "raw/inner/größe.bin").write_bytes(b"\n\0\ntwo")

    assert recorded_content.folder(root, "raw", artifacts.measure(root / "raw").md5) is None


def test_a_repository_that_git_refuses_to_read_is_like_none(root: Path) -> None:
    (root.parent / ".git/HEAD").write_text("nothing")

    assert recorded_content.file(root, "key.json", md5("three")) == b"three"
    assert recorded_content.file(root, "key.json", md5("one")) is None
