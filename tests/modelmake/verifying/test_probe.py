"""A probe runs old and present code in their clones, and touches nothing outside of them."""

import sys
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from modelmake import artifacts
from modelmake.dvc import graph
from modelmake.errors import UserError
from modelmake.verifying import input_share, probe
from modelmake.verifying.probe import Code, Probe

ROW = '{"id": "a"}\n'


def codes(tmp_path: Path) -> tuple[Code, Code]:
    made = [Code(tmp_path / name, name, Path(sys.executable).parent, {}) for name in ("old", "new")]
    for code in made:
        (code.path / ".dvc").mkdir(parents=True)
    (tmp_path / "project").mkdir()
    (tmp_path / "project/params.yaml").write_text("count: {}\n")
    return made[0], made[1]


def run(tmp_path: Path, of_both: tuple[Code, Code], path: str, command: str = "true", out: str = "out.txt") -> Probe:
    root = tmp_path / "project"
    stage = graph.Stage("count", command, (path,), ("count",), (out,))
    files = {name: file.md5 for name, file in artifacts.measure(root / path).files.items()}
    return probe.run(root, stage, {path: files}, of_both, 1, {})


def test_codes_that_write_the_same_bytes_have_no_problem(tmp_path: Path) -> None:
    both = codes(tmp_path)
    (tmp_path / "project/raw").mkdir()
    (tmp_path / "project/raw/rows.jsonl").write_text(f"{ROW}{ROW}")

    assert run(tmp_path, both, "raw", "cat raw/rows.jsonl > out.txt") == Probe({"raw/rows.jsonl": [2, 2]}, {}, "")
    assert (both[1].path / "out.txt").read_text() == f"{ROW}{ROW}"
    other = 'echo "$PWD" > out.txt'
    assert run(tmp_path, both, "raw", other).problem == "other bytes: out.txt"


def test_the_rows_that_the_tables_of_the_stage_name_are_in_its_probe(tmp_path: Path) -> None:
    both = codes(tmp_path)
    root = tmp_path / "project"
    (root / "raw").mkdir()
    (root / "raw/rows.jsonl").write_text("".join(f'{{"id": "row {n}"}}\n' for n in range(1000)))
    (root / "out").mkdir()
    pyarrow.parquet.write_table(pyarrow.table({"id": ["row 7"], "kept": ["row 500"]}), root / "out/pairs.parquet")

    met = run(tmp_path, both, "raw", "mkdir out", out="out")
    assert {"row 7", "row 500"} <= {*input_share.ids(both[1].path / "raw/rows.jsonl")}
    assert (met.problem, met.met) == ("", ", 2 of them named by the stage's own tables")

    pyarrow.parquet.write_table(pyarrow.table({"id": ["gone"], "kept": ["gone too"]}), root / "out/pairs.parquet")
    assert run(tmp_path, both, "raw", "mkdir out", out="out").met == ", none of them named by the stage's own tables"


def test_tables_without_ids_name_no_rows(tmp_path: Path) -> None:
    both = codes(tmp_path)
    (tmp_path / "project/raw").mkdir()
    (tmp_path / "project/raw/rows.jsonl").write_text(f"{ROW}{ROW}")
    (tmp_path / "project/out").mkdir()
    pyarrow.parquet.write_table(pyarrow.table({"file": ["a"]}), tmp_path / "project/out/files.parquet")

    assert run(tmp_path, both, "raw", "mkdir out", out="out").met == ""


def test_inputs_that_overlap_are_there_once(tmp_path: Path) -> None:
    both = codes(tmp_path)
    root = tmp_path / "project"
    (root / "raw").mkdir()
    (root / "raw/notes.txt").write_text("mine")
    stage = graph.Stage("count", "cat raw/notes.txt > out.txt", ("raw", "raw/notes.txt"), ("count",), ("out.txt",))
    md5 = artifacts.md5(b"mine")
    inputs = {"raw": {"notes.txt": md5}, "raw/notes.txt": {"": md5}}

    assert probe.run(root, stage, inputs, both, 1, {}).problem == ""
    assert (both[1].path / "out.txt").read_text() == "mine"


@pytest.mark.parametrize("place", ["absolute", "beside", "linked"])
def test_an_input_outside_of_the_project_is_refused_and_stays_as_it_is(tmp_path: Path, place: str) -> None:
    both = codes(tmp_path)
    raw = tmp_path / "users/raw"
    raw.mkdir(parents=True)
    (raw / "rows.jsonl").write_text(f"{ROW}{ROW}")
    (raw / "notes.txt").write_text("mine")
    for folder in (tmp_path / "project", both[0].path, both[1].path):
        (folder / "linked").symlink_to(tmp_path / "users")
    path = {"absolute": str(raw), "beside": "../users/raw", "linked": "linked/raw"}[place]

    with pytest.raises(UserError, match=r"raw: outside of the project, so a clone has no copy of it: want a path in"):
        run(tmp_path, both, path)
    assert (raw / "rows.jsonl").read_text() == f"{ROW}{ROW}"
    assert (raw / "notes.txt").read_text() == "mine"


def test_an_output_outside_of_the_project_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    both = codes(tmp_path)
    (tmp_path / "project/raw").mkdir()
    (tmp_path / "out.txt").write_text("mine")

    with pytest.raises(UserError, match=r"^\.\./out\.txt: outside of the project"):
        run(tmp_path, both, "raw", out="../out.txt")
    assert (tmp_path / "out.txt").read_text() == "mine"
