"""Hashes of files and folders are those that DVC writes."""

import subprocess
import sys
from pathlib import Path

from ruamel.yaml import YAML

from modelmake import artifacts
from modelmake.artifacts import Artifact, File
from tests.conftest import Project


def test_a_file_is_listed_under_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text("{}\n")

    artifact = artifacts.measure(tmp_path / "rows.jsonl")

    md5 = "8a80554c91d9fca8acb82f023de02f11"
    assert artifact == Artifact(md5, {"rows.jsonl": File(md5, 3)})
    assert artifact.size == 3


def test_a_part_of_a_folder_is_what_is_measured_there(tmp_path: Path) -> None:
    for name in ("model/deep/weights", "model-2/weights", "model.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    whole = artifacts.measure(tmp_path)

    for part in ("model", "model/deep", "model/deep/weights", "model-2", "model.txt", "none"):
        assert whole.part(part) == artifacts.measure(tmp_path / part), part


def test_files_with_known_hashes_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text("{}\n")
    (tmp_path / "other.jsonl").write_text("{}\n")
    known = {"rows.jsonl": File("0" * 32, 3)}

    assert artifacts.measure(tmp_path / "rows.jsonl", known).md5 == "0" * 32
    assert artifacts.measure(tmp_path, known).files == known | {
        "other.jsonl": File("8a80554c91d9fca8acb82f023de02f11", 3)
    }


def test_every_output_of_a_real_build_has_the_recorded_hash(built: Project) -> None:
    lock = YAML(typ="safe", pure=True).load(built.read("dvc.lock"))
    outs = [out for stage in lock["stages"].values() for out in stage["outs"]]

    assert len(outs) > 30
    for out in outs:
        artifact = artifacts.measure(built.path / out["path"])
        assert (artifact.md5, artifact.size) == (out["md5"], out["size"]), out["path"]


def test_a_folder_whose_paths_sort_unlike_its_names_is_hashed_as_dvc_does(tmp_path: Path) -> None:
    for name in ("a/x", "a-b/x", "a.txt", "ä/é", "b/c/d"):
        (tmp_path / "folder" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / name).write_text(name)
    for command in (["init", "-q", "--no-scm"], ["add", "-q", "folder"]):
        subprocess.run([sys.executable, "-m", "dvc", *command], cwd=tmp_path, check=True)

    recorded = YAML(typ="safe", pure=True).load((tmp_path / "folder.dvc").read_text())["outs"][0]
    artifact = artifacts.measure(tmp_path / "folder")
    assert (artifact.md5, artifact.size) == (recorded["md5"], recorded["size"])
