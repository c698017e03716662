"""A rebuild in a clean clone runs everything, compares bytes, and says what it proved and how far it was off."""

import argparse
import contextlib
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import modelmake.verifying.verify
from modelmake.errors import UserError
from tests.conftest import Project
from tests.modelmake import small_build
from tests.modelmake.small_build import commit, flip

ELSEWHERE = {"platform": "macosx-15-arm64", "cpu": "M4", "python": "3.11.9", "packages": "as locked", "device": "cpu"}


@pytest.fixture
def project(small_project: Project) -> Project:
    return small_project


def verify(project: Project, *arguments: str) -> tuple[int, dict[str, Any]]:
    parser = argparse.ArgumentParser()
    modelmake.verifying.verify.arguments(parser)
    with contextlib.chdir(project.path), contextlib.redirect_stdout(io.StringIO()) as printed:
        code = modelmake.verifying.verify.run(parser.parse_args(["--json", *arguments]))
    return code, json.loads(printed.getvalue())


def rebuild(project: Project, *arguments: str) -> tuple[int, dict[str, Any]]:
    return verify(project, "--rebuild", *arguments)


def levels(found: dict[str, Any]) -> dict[str, str]:
    return {path: proven["level"] for path, proven in found["proven"].items()}


def reasons(found: dict[str, Any]) -> list[str]:
    return [proof["why"] for proof in found["rebuilt"]]


def beside(project: Project) -> list[str]:
    return sorted(path.name for path in project.path.parent.iterdir())


def test_a_whole_rebuild_gives_the_recorded_bytes_and_that_is_kept(project: Project) -> None:
    before = beside(project)
    code, found = rebuild(project)

    exact = dict.fromkeys(("parts", "results/whole.txt", "count.json", "model", "copied.json"), "exact on this stack")
    assert (code, levels(found), reasons(found)) == (0, exact, [""] * 5)
    assert beside(project) == before, "the clone is gone"
    status = subprocess.run(["git", "status", "--short"], cwd=project.path, capture_output=True, text=True).stdout
    assert status == "?? verified.jsonl\n"
    assert len(project.read("verified.jsonl").splitlines()) == 5
    assert levels(verify(project)[1]) == exact, "a later verify shows it"


def test_a_stage_that_gives_other_bytes_is_different_and_the_next_gets_what_was_recorded(project: Project) -> None:
    """The cache has the recorded bytes, and so has the run-cache: it was really run."""
    (project.path.parent / "noise.txt").write_text("0.25")
    code, found = rebuild(project, "model", "copied")

    assert code == 1
    assert levels(found) == {"model": "different", "copied.json": "exact on this stack"}
    assert found["proven"]["model"]["bounds"] == {"config.json: loss": 0.5, "m.safetensors: a": 0.25}
    kept = Path(found["kept"], ".rebuilt/model/config.json")
    assert json.loads(kept.read_text())["loss"] == 2.0, "for a look"

    code, found = rebuild(project, "model", "--tolerance", "0.5")
    assert (code, levels(found), found["kept"]) == (0, {"model": "within tolerance"}, None)
    code, output = project.run(sys.executable, "-m", "stages.commands.cli", "verify", "model")
    assert code == 0, "its bytes are those of dvc.lock"
    assert "  model: within tolerance: at most 0.5 apart (config.json: loss); rebuilt on " in output


def test_the_same_bytes_on_two_stacks_are_exact_and_a_difference_elsewhere_is_not_hidden(project: Project) -> None:
    rebuild(project, "copied")
    [line] = project.read("verified.jsonl").splitlines()
    other = json.loads(line) | {"stack": ELSEWHERE}
    project.write("verified.jsonl", f"{line}\n{json.dumps(other)}\n")
    assert levels(verify(project, "copied")[1]) == {"copied.json": "exact"}

    other["outcome"] = {"copied.json": "other"}
    project.write("verified.jsonl", f"{line}\n{json.dumps(other)}\n")
    assert levels(verify(project, "copied")[1]) == {"copied.json": "exact on this stack"}

    clone = small_build.fresh_clone(project, "clone")
    clone.write("verified.jsonl", json.dumps(json.loads(line) | {"stack": ELSEWHERE}) + "\n")
    small_build.dvc(clone, "pull", "copied")
    assert levels(verify(clone, "copied")[1]) == {"copied.json": "exact on another stack"}


def test_a_proof_is_of_what_was_recorded_then(project: Project) -> None:
    rebuild(project, "copied")
    project.edit("weights.py", '"small"', '"other"')
    small_build.dvc(project, "repro")

    assert levels(verify(project, "copied")[1]) == {"copied.json": ""}


def test_what_is_not_committed_is_not_rebuilt(project: Project) -> None:
    project.edit("params.yaml", "lines: 5", "lines: 4")
    commit(project)
    code, found = rebuild(project, "parts", "copied")

    assert code == 1
    assert [proof["outcome"] for proof in found["rebuilt"]] == [{"parts": "not rebuilt"}, {"copied.json": "same"}]
    assert found["kept"] is None, "there is nothing to look at"
    assert reasons(found)[0] == (
        "dvc.lock of that commit does not have its command, params.yaml: lines modified: build and commit first"
    )


def test_an_input_that_only_this_folder_has_is_told(project: Project) -> None:
    project.edit("dvc.yaml", "deps: [raw.txt]", "deps: [raw.txt, secret.txt]")
    project.write("secret.txt", "1")
    small_build.dvc(project, "repro")
    (project.path / ".git/info/exclude").write_text("secret.txt\n")
    commit(project)
    code, found = rebuild(project, "parts")

    assert code == 1
    assert reasons(found) == ["its input secret.txt is in neither git nor DVC: a clean clone has it not; `dvc add` it"]


def test_a_corrupt_input_is_never_built_from(project: Project) -> None:
    for path in (project.path / "results/whole.txt", project.path / "parts/head.txt"):
        flip(path)
    found = rebuild(project, "count", "whole")[1]

    assert [proof["outcome"] for proof in found["rebuilt"]] == [
        {"results/whole.txt": "same"}, {"count.json": "same"},
    ]  # fmt: skip
    assert reasons(rebuild(project, "count")[1]) == [
        "its input results/whole.txt is not on this machine as recorded: `dvc pull whole` first"
    ]


def test_a_stage_that_fails_is_told_and_others_go_on(project: Project) -> None:
    (project.path.parent / "noise.txt").write_text("no number")
    code, found = rebuild(project, "model", "copied")

    assert code == 1
    assert reasons(found) == ["`dvc repro` ended with 255; its own message stands above", ""]
    assert Path(found["kept"], "weights.py").exists()
    assert levels(found) == {"model": "", "copied.json": "exact on this stack"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["--rebuild", "--remote"],
            "--rebuild: looks at no remote and replaces nothing: leave out --remote and --replace",
        ),
        (["--tolerance", "1"], "--tolerance: want it with --rebuild only: rehashed bytes are the same or not"),
        (["--rebuild", "more.txt"], "more.txt: no stage makes it: want a stage with a command to rebuild"),
    ],
)
def test_flags_that_do_not_go_together_are_told(project: Project, arguments: list[str], told: str) -> None:
    with pytest.raises(UserError) as error:
        verify(project, *arguments)
    assert str(error.value) == told


@pytest.mark.slow
def test_a_real_build_is_exact_and_on_two_stacks_if_the_run_log_says_so(built: Project, tmp_path: Path) -> None:
    """Every stage of the tiny recipe, through its harness."""
    shutil.copytree(built.path, tmp_path / "project", symlinks=True)
    project = Project(tmp_path / "project")
    log = project.path / ".dvc/cache/modelmake/runs.jsonl"
    runs = [json.loads(line) for line in log.read_text().splitlines()]
    assert all(run["stack"]["device"] == "cpu" and run["stack"]["packages"] for run in runs)
    for run in runs:
        if run["stage"] in ("train@sft", "split"):
            run["stack"] |= {"cpu": "another"}
    log.write_text("".join(json.dumps(run) + "\n" for run in runs))
    commit(project)
    code, found = rebuild(project)

    assert code == 0, found
    assert {proof["stage"] for proof in found["rebuilt"]} == {
        *project.run("dvc", "stage", "list", "--name-only")[1].split()
    }
    exact = {path for path, level in levels(found).items() if level == "exact"}
    assert exact == {
        "data/splits", "data/leaks.parquet", "data/contaminated.parquet", "reports/data/split.json",
        "models/trained/sft", "reports/train/sft.json", "reports/train/sft.consumed.jsonl",
    }  # fmt: skip
    assert {*levels(found).values()} == {"exact", "exact on this stack"}
    assert verify(project)[0] == 0
