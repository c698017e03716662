"""A build says where its bytes differ from those in git though nobody edited anything."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from modelmake.dvc import recorded_bytes

ROOT = Path(__file__).parents[3]
METRICS = {"sft": {"exact_match": 0.98708, "valid_json": True}, "dpo": {"exact_match": 0.992248}}


def lock(folder: Path, base: str = "b1", raw: str = "r1", metrics: str = "m1") -> None:
    """Writes the dvc.lock of a stage that trains on raw data, and of one that measures what it trained."""
    stages = {
        "base": {
            "cmd": "train", "deps": [{"path": "raw", "md5": raw}], "params": {"params.yaml": {"seed": 1}},
            "outs": [{"path": "model", "md5": base}],
        },
        "compare": {
            "cmd": "compare", "deps": [{"path": "model", "md5": base}],
            "outs": [{"path": "metrics.json", "md5": metrics}],
        },
    }  # fmt: skip
    (folder / "dvc.lock").write_text(json.dumps({"schema": "2.0", "stages": stages}))


def git(folder: Path, *arguments: str) -> None:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@t", *arguments]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)


@pytest.fixture
def built(tmp_path: Path) -> Path:
    lock(tmp_path)
    (tmp_path / "metrics.json").write_text(json.dumps(METRICS))
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "built"]):
        git(tmp_path, *command)
    return tmp_path


def test_a_build_with_the_recorded_bytes_says_nothing(built: Path) -> None:
    assert recorded_bytes.difference(built) == ""


def test_other_bytes_of_the_same_inputs_are_told_with_the_figures_that_differ(built: Path) -> None:
    lock(built, base="b2", metrics="m2")
    (built / "metrics.json").write_text(json.dumps(METRICS | {"dpo": {"exact_match": 0.9897}}))

    assert recorded_bytes.difference(built) == (
        "base: other bytes than in git, made of the same inputs: probably this processor rounds otherwise than the "
        "one that wrote them, which is expected; figures in git and here: dpo.exact_match 0.9922 and 0.9897; git shows "
        "dvc.lock, metrics.json as changed: commit them, or leave them"
    )


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (0.98708, 0.98709, "0.98708 and 0.98709"),
        (0.1, 0.1 + 2**-56, "0.10000000000000001 and 0.10000000000000002"),
        (1234567, 1234568, "1234567 and 1234568"),
        (2, 2.0, ""),
        (float("nan"), float("nan"), ""),
    ],
)
def test_a_figure_is_told_with_the_digits_in_which_it_differs(
    built: Path, old: float, new: float, told: str
) -> None:  # fmt: skip
    (built / "metrics.json").write_text(json.dumps({"a": old}))
    git(built, "commit", "-aqm", "built")
    lock(built, base="b2", metrics="m2")
    (built / "metrics.json").write_text(json.dumps({"a": new}))

    wanted = f"figures in git and here: a {told};" if told else "no figure in git differs;"
    assert wanted in recorded_bytes.difference(built)


def test_other_bytes_that_change_no_figure_are_told_as_such(built: Path) -> None:
    lock(built, base="b2")

    line = recorded_bytes.difference(built)

    assert "no figure in git differs; git shows dvc.lock as changed" in line


def test_what_an_edit_changed_is_not_told(built: Path) -> None:
    lock(built, base="b2", raw="r2", metrics="m2")

    assert recorded_bytes.difference(built) == ""


def test_without_a_commit_or_git_or_a_build_nothing_is_told(
    built: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    lock(other)
    assert recorded_bytes.difference(other) == ""
    git(other, "init", "-q")
    assert recorded_bytes.difference(other) == ""
    (built / "dvc.lock").unlink()
    assert recorded_bytes.difference(built) == ""


BUILD = f"""
import sys
sys.path.append({str(ROOT / "modelmake/dvc/installed")!r})
import dvc_repro_tells
from dvc.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_it_is_the_last_line_of_a_build(tmp_path: Path) -> None:
    def repro(*arguments: str) -> str:
        command = [sys.executable, "-c", BUILD, "repro", *arguments]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    git(tmp_path, "init", "-q")
    subprocess.run([sys.executable, "-m", "dvc", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / "rounds").write_text("0.1")  # as a processor does: no input of a stage
    (tmp_path / "dvc.yaml").write_text("stages: {train: {cmd: cp rounds model, outs: [model]}}")
    assert "other bytes" not in repro()
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "built")
    (tmp_path / "rounds").write_text("0.2")

    told = repro("--force").splitlines()

    assert told[-1].startswith("train: other bytes than in git, made of the same inputs: probably this processor ")
    assert "other bytes" not in repro(), "nothing ran"
