"""The project itself under Snakemake: the artifacts and the lock of `dvc repro`, and its early cutoff."""

import hashlib
import itertools
import json
from datetime import datetime
from pathlib import Path

import pytest

from modelmake import params
from modelmake.dvc import graph
from modelmake.running import state_dir
from tests.conftest import Project

pytestmark = pytest.mark.slow


def runs(project: Project) -> list[dict]:
    """The run log's lines."""
    lines = (state_dir.folder(project.path) / "runs.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def span(run: dict) -> tuple[float, float]:
    """When a stage started and ended, s."""
    started = datetime.fromisoformat(run["started"]).timestamp()
    return started, started + run["seconds"]


def digest(path: Path) -> dict[str, str]:
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    return {str(f.relative_to(path)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def test_a_clone_in_another_folder_builds_to_the_same_lock_and_the_same_bytes(built: Project, watched: Project) -> None:
    stages = graph.stages(watched.path)
    assert len(runs(watched)) == len(stages) - 1, "every stage but preflight ran"
    assert {run["outcome"] for run in runs(watched)} == {"done"}
    assert params.load(watched.path / "dvc.lock") == params.load(built.path / "dvc.lock")
    outs = [out for stage in stages.values() for out in stage.outs]
    assert {out: digest(watched.path / out) for out in outs} == {out: digest(built.path / out) for out in outs}


def test_stages_run_side_by_side(watched: Project) -> None:
    spans = sorted(map(span, runs(watched)))  # starts are logged in whole seconds
    assert any(later[0] + 1 < earlier[1] for earlier, later in itertools.pairwise(spans))


def test_only_what_is_stale_is_scheduled(project: Project) -> None:
    """A comment is added, and the rows of a raw file change their order."""
    before = len(runs(project))
    project.write("stages/clean.py", f"{project.read('stages/clean.py')}# a comment\n")
    rows = project.read("data/raw/messages.jsonl").splitlines(keepends=True)
    project.write("data/raw/messages.jsonl", "".join(reversed(rows)))

    code, output = project.run("snakemake", "-j2")

    assert code == 0, output
    stages = [run["stage"] for run in runs(project)[before:]]
    assert stages == ["ingest", "mix", "report"]
    assert output.count("\nFinished jobid:") == len(stages) + 2  # preflight leaves no run; and `all`
