"""A full disk, wherever a build writes: one line names it, and once there is space the build continues."""

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Project, ran

EDITS = {  # of params.yaml, to make a stage stale
    "train@dpo": ("learning_rate: 0.003", "learning_rate: 0.002"),
    "clean": ("max_chars: 2000", "max_chars: 1990"),
}
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """Mounts an empty disk of that size at the folder."""
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


@pytest.mark.parametrize(
    ("stage", "folder"),
    [("train@dpo", "models/trained"), ("clean", ".dvc/cache/modelmake/finished/clean")],
)
def test_a_stage_names_the_full_disk(project: Project, stage: str, folder: str) -> None:
    project.edit("params.yaml", *EDITS[stage])

    with small_disk(project.path / folder, "8k"):
        code, output = project.run("dvc", "repro", "-s", stage)

    assert code != 0
    assert f"{stage}: no space left on the disk of" in output
    assert "Traceback" not in output
    assert stage in ran(project.repro(stage))


def test_a_stage_that_dvc_cannot_cache_is_taken_once_there_is_space(project: Project) -> None:
    project.edit("params.yaml", *EDITS["clean"])

    with small_disk(project.path / ".dvc/cache/files", "8k"):
        code, output = project.run("dvc", "repro", "-s", "clean")

    assert code != 0 and "No space left on device" in output
    assert outcome(project, "clean") == "done"
    assert "clean" in ran(project.repro("clean"))
    assert outcome(project, "clean") == "taken"
