"""Bad input: one clear line, nothing lost, and once it is mended `dvc repro` goes on as if nothing had been."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Project, ran


def raw(name: str, content: bytes) -> Callable[[Project], None]:
    return lambda project: (project.path / "data/raw" / name).write_bytes(content) and None


def empty_folder(project: Project) -> None:
    for file in (project.path / "data/raw").iterdir():
        file.unlink()


def no_folder(project: Project) -> None:
    project.edit("params.yaml", "raw: data/raw", "raw: data/elsewhere")


def params(old: str, new: str) -> Callable[[Project], None]:
    return lambda project: project.edit("params.yaml", old, new)


BAD = {
    "an empty data/raw": (empty_folder, "data/raw: no files: want rows as .json, .jsonl, "),
    "a binary file": (
        raw("scan.jsonl", b"\x89PNG\r\n\x1a\n\0\0"),
        "data/raw/scan.jsonl: byte 8 is NUL, so this is no text: want UTF-8 text; move it elsewhere",
    ),
    "a UTF-16 file": (
        raw("notes.txt", "Grüße".encode("utf-16")),
        "data/raw/notes.txt: is UTF-16: want UTF-8; `iconv -f UTF-16 -t UTF-8` converts it",
    ),
    "a typo": (
        params("learning_rate: 0.003", "learning_rat: 0.003"),
        "params.yaml: train.dpo.learning_rat: unknown key; did you mean learning_rate?",
    ),
    "a number in quotes": (
        params("learning_rate: 0.003", "learning_rate: '1e-4'"),
        "params.yaml: train.dpo.learning_rate = '1e-4': want a number, got text; write 0.0001 without quotes",
    ),
    "a gate on a metric that nobody measures": (
        params("metric: compact", "metric: brevity"),
        "params.yaml: compare.gates.dpo_is_compact.metric = 'brevity': want one of",
    ),
    "two steps in a circle": (params("from: base", "from: dpo"), "both a dependency and an output in stages: "),
    "a step from no step": (
        params("method: sft\n    from: base", "method: sft\n    from: nowhere"),
        "params.yaml: train.sft.from = 'nowhere': no such step: want one of base, dpo",
    ),
    "a step whose name is a command": (params("  dpo:\n", "  x; touch y:\n"), "'x; touch y'"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_told_in_one_line_and_loses_nothing(project: Project, name: str) -> None:
    change, line = BAD[name]
    before = {path: project.read(path) for path in ("params.yaml", "dvc.lock", "reports/metrics.json")}
    files = {file: file.read_bytes() for file in (project.path / "data/raw").iterdir()}
    change(project)

    code, output = project.run("dvc", "repro")

    assert code != 0
    assert line in output
    assert "Traceback" not in output
    assert not (project.path / "y").exists()
    assert not set(ran(output)) & {"base", "train@sft", "train@dpo"}, "told before any training"
    for file in (project.path / "data/raw").iterdir():
        file.unlink()
    for file, content in files.items():
        file.write_bytes(content)
    project.write("params.yaml", before["params.yaml"])
    assert set(ran(project.repro())) <= {"preflight"}, "what was built comes back from the cache"
    assert project.read("dvc.lock") == before["dvc.lock"]
    assert project.read("reports/metrics.json") == before["reports/metrics.json"]


def test_a_missing_raw_folder_is_named(project: Project) -> None:
    no_folder(project)

    code, output = project.run("dvc", "repro")

    assert code != 0
    assert "params.yaml: ingest.raw = 'data/elsewhere': no such file or folder; put raw data there" in output


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


def test_interrupted_training_publishes_nothing_and_the_next_build_ends_as_if_undisturbed(
    project: Project, tmp_path: Path
) -> None:
    project.edit("params.yaml", "learning_rate: 0.003", "learning_rate: 0.002")
    undisturbed = Project(shutil.copytree(project.path, tmp_path / "undisturbed", symlinks=True))
    undisturbed.repro("merge@dpo")

    build = project.start("dvc", "repro", "merge@dpo")
    assert build.stdout is not None
    for line in build.stdout:
        if line.startswith("  step 2/"):
            break
    os.killpg(build.pid, signal.SIGINT)
    output, _ = build.communicate(timeout=60)

    assert build.returncode != 0
    assert "train@dpo: interrupted: nothing published; `dvc repro` runs it again" in output
    assert not list(project.path.glob("models/**/.*.partial"))
    project.repro("merge@dpo")
    assert project.read("dvc.lock") == undisturbed.read("dvc.lock")


def test_a_killed_dvc_takes_its_stage_along(project: Project) -> None:
    project.edit("params.yaml", "learning_rate: 0.003", "learning_rate: 0.002")
    build = project.start("dvc", "repro")
    assert build.stdout is not None
    for line in build.stdout:
        if line.startswith("  step 2/"):
            break
    build.kill()

    for _ in range(50):
        alive = subprocess.run(["pgrep", "-f", "stages.train --step dpo"], capture_output=True, text=True).stdout
        of_this = [pid for pid in alive.split() if Path(f"/proc/{pid}/cwd").resolve() == project.path.resolve()]
        if not of_this:
            break
        time.sleep(0.1)
    assert not of_this


def test_rows_that_the_trainer_would_leave_out_in_silence_fail_the_step(project: Project) -> None:
    project.edit(
        "params.yaml",
        "max_length: 256\n    over_long: drop\n    assistant",
        "max_length: 16\n    over_long: truncate\n    assistant",
    )

    code, output = project.run("dvc", "repro", "train@sft")

    assert code != 0
    assert re.search(r"train\.sft: the trainer kept \d+ of \d+ train rows: want all; raise max_length", output)
