"""Bad input: one clear line, nothing lost, and once it is mended `dvc repro` goes on as if nothing had been."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from modelmake.params import load
from tests.conftest import Project, ran


def params(old: str, new: str) -> Callable[[Project], None]:
    return lambda project: project.edit("params.yaml", old, new)


def binary_file(project: Project) -> None:
    (project.path / "data/raw/scan.jsonl").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")


BAD = {  # by who finds it; every message of ingest and preflight has its line in tests/reading and tests/params
    "ingest": (binary_file, "data/raw/scan.jsonl: byte 8 is NUL, so this is no text: want UTF-8 text; move it"),
    "preflight": (
        params("learning_rate: 0.003", "learning_rat: 0.003"),
        "params.yaml: train.dpo.learning_rat: unknown key; did you mean learning_rate?",
    ),
    "dvc": (params("from: base", "from: dpo"), "both a dependency and an output in stages: "),
    "dvc, a step whose name is a command": (params("  dpo:\n", "  x; touch y:\n"), "'x; touch y'"),
}  # fmt: skip


def test_bad_input_fails_in_one_line_and_once_it_is_mended_everything_is_as_before(project: Project) -> None:
    before = {path: project.read(path) for path in ("params.yaml", "dvc.lock", "reports/metrics.json")}
    for change, line in BAD.values():
        change(project)

        code, output = project.run("dvc", "repro")

        assert code != 0
        assert line in output
        assert "Traceback" not in output
        assert not set(ran(output)) & {"base", "train@sft", "train@dpo"}, "told before any training"
        project.write("params.yaml", before["params.yaml"])
        (project.path / "data/raw/scan.jsonl").unlink(missing_ok=True)

    assert not (project.path / "y").exists()
    assert set(ran(project.repro())) <= {"preflight"}, "outputs come back from the cache"
    assert {path: project.read(path) for path in before} == before


def test_bad_rows_are_dropped_with_file_line_and_reason(project: Project) -> None:
    rows = [
        json.dumps({"instruction": "Where is it?", "input": "", "output": ""}),
        json.dumps({"instruction": "Where is my kettle?", "input": "", "output": "{}"}),
    ]
    project.write("data/raw/extra.json", "[\n" + ",\n".join(rows) + ',\n{"instruction": "Wh')

    project.repro("ingest")

    rejected = [json.loads(line) for line in project.read("data/ingested/rejected.jsonl").splitlines()]
    found = [(r["line"], r["reason"]) for r in rejected if r["file"] == "extra.json"]
    assert found == [(2, "empty_answer"), (4, "broken_json")]


def test_more_bad_rows_than_declared_fail_and_are_named(project: Project) -> None:
    project.write("data/raw/extra.jsonl", "no json\n" * 100)

    code, output = project.run("dvc", "repro", "ingest")

    assert code != 0
    assert "records unusable: want at most 2.00%; mend them or raise ingest.max_rejected_fraction" in output
    assert "\n  extra.jsonl:1: broken_json: " in output


def lose_outputs(project: Project, stage: str) -> None:
    """Deletes the outputs of a stage from the workspace, DVC's cache and its run cache: only a run restores them."""
    for out in load(project.path / "dvc.lock")["stages"][stage]["outs"]:
        path = project.path / out["path"]
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        (project.path / ".dvc/cache/files/md5" / out["md5"][:2] / out["md5"][2:]).unlink()
    shutil.rmtree(project.path / ".dvc/cache/runs")


def start_training(project: Project) -> subprocess.Popen[str]:
    """A `dvc repro train@dpo` that has printed its second step."""
    lose_outputs(project, "train@dpo")
    build = project.start("dvc", "repro", "train@dpo")
    assert build.stdout is not None
    for line in build.stdout:
        if line.startswith("  step 2/"):
            break
    return build


def test_interrupted_training_publishes_nothing_and_the_next_build_ends_as_if_undisturbed(project: Project) -> None:
    undisturbed = project.read("dvc.lock")
    build = start_training(project)

    os.killpg(build.pid, signal.SIGINT)
    output, _ = build.communicate(timeout=60)

    assert build.returncode != 0
    assert "train@dpo: interrupted: nothing published; `dvc repro` runs it again" in output
    assert not list(project.path.glob("models/**/.*.partial"))
    assert "train@dpo" in ran(project.repro("train@dpo"))
    assert project.read("dvc.lock") == undisturbed


def test_a_killed_dvc_takes_its_stage_along(project: Project) -> None:
    def trains(process: psutil.Process) -> bool:
        """True for the stage itself, which works in its sandbox below the project."""
        folder = Path(process.info["cwd"] or "/")
        return folder.is_relative_to(project.path.resolve()) and "stages.train" in (process.info["cmdline"] or ())

    def training() -> list[psutil.Process]:
        return [process for process in psutil.process_iter(["cwd", "cmdline"]) if trains(process)]

    build = start_training(project)
    assert training()

    build.kill()

    for _ in range(50):
        if not (alive := training()):
            break
        time.sleep(0.1)
    assert not alive
