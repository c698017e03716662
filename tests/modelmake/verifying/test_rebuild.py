"""A rebuild in a clean clone runs everything, compares bytes, and proves how close they are."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Project
from tests.modelmake import small_build
from tests.modelmake.small_build import commit, flip
from tests.modelmake.verifying.conftest import MODELMAKE, command

ELSEWHERE = {"platform": "macosx-15-arm64", "cpu": "M4", "python": "3.11.9", "packages": "as locked", "device": "cpu"}


def rebuild(project: Project, *arguments: str) -> tuple[int, dict[str, Any]]:
    return command(project, "--rebuild", *arguments)


def levels(result: dict[str, Any]) -> dict[str, str]:
    return {path: proven["level"] for path, proven in result["proven"].items()}


def reasons(result: dict[str, Any]) -> list[str]:
    return [proof["why"] for proof in result["rebuilt"]]


def beside(project: Project) -> list[str]:
    return sorted(path.name for path in project.path.parent.iterdir())


def test_a_rebuild_of_everything_makes_the_recorded_bytes_and_is_saved_as_proof(project: Project) -> None:
    before = beside(project)
    code, result = rebuild(project)

    exact = dict.fromkeys(
        ("parts", "results/whole.txt", "count.json", "model", "copied.json"), "exact on this platform"
    )
    assert (code, levels(result), reasons(result)) == (0, exact, [""] * 5)
    assert beside(project) == before, "the clone is gone"
    status = subprocess.run(["git", "status", "--short"], cwd=project.path, capture_output=True, text=True).stdout
    assert status == "?? verified.jsonl\n"
    assert len(project.read("verified.jsonl").splitlines()) == 5
    assert levels(command(project)[1]) == exact, "a later verify shows it"


def test_a_stage_that_makes_other_bytes_is_different_and_the_next_gets_the_recorded_ones(project: Project) -> None:
    """The cache has the recorded bytes, and so has the run-cache: it was really run."""
    (project.path.parent / "noise.txt").write_text("0.25")
    code, result = rebuild(project, "model", "copied")

    assert code == 1
    assert levels(result) == {"model": "different", "copied.json": "exact on this platform"}
    assert result["proven"]["model"]["bounds"] == {"config.json: loss": 0.5, "m.safetensors: a": 0.25}
    kept = Path(result["kept"], ".rebuilt/model/config.json")
    assert json.loads(kept.read_text())["loss"] == 2.0, "for a look"

    code, result = rebuild(project, "model", "--tolerance", "0.5")
    assert (code, levels(result), result["kept"]) == (0, {"model": "within tolerance"}, None)
    code, output = project.run(*MODELMAKE, "verify", "model")
    assert code == 0, "its bytes are those of dvc.lock"
    assert "  model: within tolerance: at most 0.5 apart (config.json: loss); rebuilt on " in output


def test_the_same_bytes_on_two_platforms_are_exact_unless_another_machine_differs(project: Project) -> None:
    rebuild(project, "copied")
    [line] = project.read("verified.jsonl").splitlines()
    other = json.loads(line) | {"stack": ELSEWHERE}
    project.write("verified.jsonl", f"{line}\n{json.dumps(other)}\n")
    assert levels(command(project, "copied")[1]) == {"copied.json": "exact"}

    other["outcome"] = {"copied.json": "other"}
    project.write("verified.jsonl", f"{line}\n{json.dumps(other)}\n")
    assert levels(command(project, "copied")[1]) == {"copied.json": "exact on this platform"}

    clone = small_build.fresh_clone(project, "clone")
    clone.write("verified.jsonl", json.dumps(json.loads(line) | {"stack": ELSEWHERE}) + "\n")
    small_build.dvc(clone, "pull", "copied")
    assert levels(command(clone, "copied")[1]) == {"copied.json": "exact on another platform"}


def test_a_proof_does_not_hold_for_a_later_record(project: Project) -> None:
    rebuild(project, "copied")
    project.edit("weights.py", '"small"', '"other"')
    small_build.dvc(project, "repro")

    assert levels(command(project, "copied")[1]) == {"copied.json": ""}


def test_a_stage_whose_record_is_outdated_is_not_rebuilt(project: Project) -> None:
    project.edit("params.yaml", "lines: 5", "lines: 4")
    commit(project)
    code, result = rebuild(project, "parts", "copied")

    assert code == 1
    assert [proof["outcome"] for proof in result["rebuilt"]] == [{"parts": "not rebuilt"}, {"copied.json": "same"}]
    assert result["kept"] is None, "there is nothing to look at"
    assert reasons(result)[0] == (
        "dvc.lock of that commit does not have its command, params.yaml: lines modified: build and commit first"
    )


def test_an_input_in_neither_git_nor_dvc_is_the_reason(project: Project) -> None:
    project.edit("dvc.yaml", "deps: [raw.txt]", "deps: [raw.txt, secret.txt]")
    project.write("secret.txt", "1")
    small_build.dvc(project, "repro")
    (project.path / ".git/info/exclude").write_text("secret.txt\n")
    commit(project)
    code, result = rebuild(project, "parts")

    assert code == 1
    assert reasons(result) == ["its input secret.txt is in neither git nor DVC, so not in a clean clone: `dvc add` it"]


def test_a_corrupt_input_is_never_built_from(project: Project) -> None:
    for path in (project.path / "results/whole.txt", project.path / "parts/head.txt"):
        flip(path)
    result = rebuild(project, "count", "whole")[1]

    assert [proof["outcome"] for proof in result["rebuilt"]] == [
        {"results/whole.txt": "same"}, {"count.json": "same"},
    ]  # fmt: skip
    assert reasons(rebuild(project, "count")[1]) == [
        "its input results/whole.txt is not on this machine as recorded: `dvc pull whole` first"
    ]


def test_a_stage_that_fails_does_not_stop_the_others(project: Project) -> None:
    (project.path.parent / "noise.txt").write_text("no number")
    code, result = rebuild(project, "model", "copied")

    assert code == 1
    assert reasons(result) == ["`dvc repro` ended with 255; its message is above", ""]
    assert Path(result["kept"], "weights.py").exists()
    assert levels(result) == {"model": "", "copied.json": "exact on this platform"}


@pytest.mark.slow
def test_a_real_build_is_exact_and_on_two_platforms_if_the_run_log_says_so(built: Project, tmp_path: Path) -> None:
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
    code, result = rebuild(project)

    assert code == 0, result
    assert {proof["stage"] for proof in result["rebuilt"]} == {
        *project.run("dvc", "stage", "list", "--name-only")[1].split()
    }
    exact = {path for path, level in levels(result).items() if level == "exact"}
    assert exact == {
        "data/splits", "data/leaks.parquet", "data/contaminated.parquet", "reports/data/split.json",
        "models/trained/sft", "reports/train/sft.json", "reports/train/sft.consumed.jsonl",
    }  # fmt: skip
    assert {*levels(result).values()} == {"exact", "exact on this platform"}
    assert command(project)[0] == 0


def test_a_stage_that_writes_outside_of_the_project_is_not_rebuilt_and_its_file_stays(project: Project) -> None:
    whole = "    outs: [results/whole.txt]"
    project.edit("dvc.yaml", "> results/whole.txt", "> ../whole.txt && cp ../whole.txt results/whole.txt")
    project.edit("dvc.yaml", whole, f"{whole[:-1]}, ../whole.txt: {{cache: false}}]")
    small_build.dvc(project, "repro", "whole")
    commit(project)
    outside = project.path.parent / "whole.txt"
    outside.write_text("mine")
    _, result = rebuild(project, "whole")

    assert reasons(result) == [
        "../whole.txt: outside of the project, so a clone has no copy of it: want a path in the project"
    ]
    assert outside.read_text() == "mine"


def test_a_stage_with_an_editable_folder_of_the_repository_is_not_rebuilt(project: Project) -> None:
    project.write("uv.lock", '[[package]]\nname = "ours"\nversion = "1"\nsource = { editable = "ours" }\n')
    (project.path / "keys").mkdir()
    project.write("keys/copied.json", '{"packages": {"ours": "1"}}')
    commit(project)
    code, result = rebuild(project, "copied", "count")

    assert code == 1
    assert reasons(result)[0] == "" and reasons(result)[1].startswith("its key has ours, a folder of this repository")
