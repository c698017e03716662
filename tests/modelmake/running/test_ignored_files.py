"""A file that DVC leaves out of the hash of an input is told before a stage could read it."""

from pathlib import Path

import pytest

from modelmake.dvc import graph
from modelmake.running import ignored_files
from tests.modelmake.conftest import SHOUT, StageProject

PATTERNS = "# a remark\n*.bak\n.ipynb_checkpoints/\n/data/raw/old\n**/drafts\n!kept.bak\n\n__pycache__\n"
TOLD = "{}: DVC leaves it out of the hash, by .dvcignore or as its own: want inputs with hashes; move it elsewhere"


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("data/raw").mkdir(parents=True)
    Path("data/raw/rows.jsonl").touch()
    Path(".dvcignore").write_text(PATTERNS)
    return Path("data/raw")


@pytest.mark.parametrize(
    ("file", "told"),
    [("a.bak", "a.bak"), ("b/c.bak", "b/c.bak"), ("kept.bak", "kept.bak"), ("drafts/a.jsonl", "drafts"),
     (".ipynb_checkpoints/rows.jsonl", ".ipynb_checkpoints"), ("old/rows.jsonl", "old"), (".git/HEAD", ".git"),
     (".dvcignore", ".dvcignore")],
)  # fmt: skip
def test_a_file_that_has_no_hash_is_told(raw: Path, file: str, told: str) -> None:
    (raw / file).parent.mkdir(exist_ok=True)
    (raw / file).touch()

    assert ignored_files.problems(raw) == [TOLD.format(raw / told)]


@pytest.mark.parametrize("file", ["rows.bak.jsonl", "b/old/rows.jsonl", "git/HEAD", "__pycache__/a.pyc"])
def test_a_file_that_has_a_hash_or_is_of_python_is_not_told(raw: Path, file: str) -> None:
    (raw / file).parent.mkdir(parents=True, exist_ok=True)
    (raw / file).touch()

    assert ignored_files.problems(raw) == []
    assert ignored_files.problems(raw / "rows.jsonl") == []


def test_patterns_between_the_project_and_the_input_count(raw: Path) -> None:
    Path("data/.dvcignore").write_text("*.tmp\nraw/left\n")
    for name in ("a.tmp", "left"):
        (raw / name).touch()

    assert ignored_files.problems(raw) == [TOLD.format(raw / name) for name in ("a.tmp", "left")]


def test_dvc_itself_leaves_out_what_is_told(raw: Path) -> None:
    Path(".dvc").mkdir()
    Path(".dvc/config").write_text("[core]\n    no_scm = true\n")
    ignored = {"a.bak", "b/c.bak", "old/x", "drafts/x", ".ipynb_checkpoints/x", ".git/HEAD"}
    for name in (*ignored, "b/old/x"):
        (raw / name).parent.mkdir(parents=True, exist_ok=True)
        (raw / name).touch()

    [listed] = graph.files(Path(), [raw.as_posix()]).values()

    assert listed == ["b/old/x", "rows.jsonl"]


def test_a_stage_does_not_run_on_an_input_that_has_no_hash(project: StageProject) -> None:
    project.write_stage(SHOUT)
    (project.root / "source.txt").unlink()
    (project.root / "source.txt").mkdir()
    (project.root / "source.txt/rows.bak").touch()
    (project.root / ".dvcignore").write_text("*.bak\n")

    code, out, err = project.run()

    assert (code, out) == (1, "")
    assert err == f"stages.shout: {TOLD.format('source.txt/rows.bak')}\n"
