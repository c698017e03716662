"""Hashes are those that DVC writes."""

import subprocess
import sys
from pathlib import Path

from ruamel.yaml import YAML

from modelmake import artifacts
from modelmake.artifacts import Artifact, File
from tests.conftest import Project


def test_a_file_stands_in_files_under_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text("{}\n")

    found = artifacts.measure(tmp_path / "rows.jsonl")

    assert found == Artifact(
        "8a80554c91d9fca8acb82f023de02f11", {"rows.jsonl": File("8a80554c91d9fca8acb82f023de02f11", 3)}
    )
    assert found.size == 3


def test_every_hash_in_a_real_lock_is_found_again(built: Project) -> None:
    lock = YAML(typ="safe", pure=True).load(built.read("dvc.lock"))
    outs = [out for stage in lock["stages"].values() for out in stage["outs"]]

    assert len(outs) > 30
    for out in outs:
        found = artifacts.measure(built.path / out["path"])
        assert (found.md5, found.size) == (out["md5"], out["size"]), out["path"]


def test_a_folder_with_folders_whose_names_sort_unlike_their_paths_hashes_as_dvc_hashes_it(tmp_path: Path) -> None:
    for name in ("a/x", "a-b/x", "a.txt", "ä/é", "b/c/d"):
        (tmp_path / "folder" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / name).write_text(name)
    for command in (["init", "-q", "--no-scm"], ["add", "-q", "folder"]):
        subprocess.run([sys.executable, "-m", "dvc", *command], cwd=tmp_path, check=True)

    wanted = YAML(typ="safe", pure=True).load((tmp_path / "folder.dvc").read_text())["outs"][0]
    found = artifacts.measure(tmp_path / "folder")
    assert (found.md5, found.size) == (wanted["md5"], wanted["size"])
