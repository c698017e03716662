"""The project itself under Snakemake: the artifacts and the lock of `dvc repro`, and its early cutoff."""

import hashlib
import itertools
import json
from datetime import datetime
from pathlib import Path

import pytest

from modelmake.dvc import graph
from modelmake.running import state_dir
from tests.conftest import Project, tiny


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


@pytest.mark.slow
def test_a_clean_clone_builds_to_the_same_lock_and_the_same_bytes(built: Project, tmp_path: Path) -> None:
    project = tiny(tmp_path)
    project.write("dvc.lock", built.read("dvc.lock"))

    code, output = project.run("snakemake", "-j2")

    assert code == 0, output
    assert project.read("dvc.lock") == built.read("dvc.lock")
    spans = sorted(map(span, runs(project)))  # starts are told in whole seconds
    assert any(later[0] + 1 < earlier[1] for earlier, later in itertools.pairwise(spans))
    outs = [out for stage in graph.stages(project.path).values() for out in stage.outs]
    assert {out: digest(project.path / out) for out in outs} == {out: digest(built.path / out) for out in outs}


@pytest.mark.parametrize(
    ("file", "change", "wanted"),
    [
        ("stages/clean.py", lambda text: f"{text}# a comment\n", []),
        pytest.param(
            "data/raw/messages.jsonl",
            lambda text: "".join(reversed(text.splitlines(keepends=True))),
            ["ingest", "mix", "report"],
            marks=pytest.mark.slow,
        ),
    ],
    ids=["comment", "row_order"],
)
def test_only_what_is_stale_is_scheduled(project: Project, file: str, change, wanted: list[str]) -> None:
    before = len(runs(project))
    project.write(file, change(project.read(file)))

    code, output = project.run("snakemake", "-j2")

    assert code == 0, output
    assert [run["stage"] for run in runs(project)[before:]] == wanted
    assert output.count("\nFinished jobid:") == max(len(wanted), 1) + 1  # preflight leaves no run; and `all`
