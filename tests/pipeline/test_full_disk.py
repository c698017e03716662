"""A disk that runs full, wherever a build writes: it is told, and once there is space the build goes on."""

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Project, ran

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """Meanwhile the folder is an empty disk of that size."""
    folder.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=False)
    if mounted.returncode:
        pytest.skip("mounting a small disk is not allowed here")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def outcome(project: Project, stage: str) -> str:
    """How the last run of a stage ended, by the run log."""
    runs = map(json.loads, project.read(".dvc/cache/modelmake/runs.jsonl").splitlines())
    return [run["outcome"] for run in runs if run["stage"] == stage][-1]


@pytest.mark.parametrize("folder", ["models/trained", ".dvc/cache/modelmake/finished/train@dpo"])
def test_a_stage_says_which_disk_is_full(project: Project, folder: str) -> None:
    project.edit("params.yaml", "learning_rate: 0.003", "learning_rate: 0.002")

    with small_disk(project.path / folder, "8k"):
        code, output = project.run("dvc", "repro", "-s", "train@dpo")

    assert code != 0
    assert "train@dpo: no space left on the disk of" in output
    assert "Traceback" not in output
    assert {"train@dpo", "merge@dpo"} <= set(ran(project.repro("merge@dpo")))


def test_a_stage_that_dvc_cannot_cache_is_taken_once_there_is_space(project: Project) -> None:
    project.edit("params.yaml", "learning_rate: 0.003", "learning_rate: 0.002")

    with small_disk(project.path / ".dvc/cache/files", "8k"):
        code, output = project.run("dvc", "repro", "-s", "train@dpo")

    assert code != 0 and "No space left on device" in output
    assert outcome(project, "train@dpo") == "done"
    assert "train@dpo" in ran(project.repro("merge@dpo"))
    assert outcome(project, "train@dpo") == "taken"
