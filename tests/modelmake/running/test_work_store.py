"""What a stage leaves to its later runs: of the same code, packages and parameters, whatever its inputs; or to all."""

from pathlib import Path

from modelmake.running import work_store
from tests.modelmake.conftest import Project

COUNTED = """
runs = memo / "runs"
runs.write_text(runs.read_text() + "x" if runs.exists() else "x")
loud.write_text(source.read_text())
return f"run {len(runs.read_text())}"
"""


def write(project: Project, body: str) -> None:
    project.write_stage(body)
    file = project.root / "stages/shout.py"
    text = file.read_text().replace("import In, Out", "import In, Memo, Out")
    file.write_text(text.replace("loud: Out, params", "loud: Out, memo: Memo, params"))


def test_a_run_finds_what_another_left_that_had_other_inputs(project: Project) -> None:
    write(project, COUNTED)

    assert project.run()[1] == "stages.shout: run 1\n"
    (project.root / "source.txt").write_text("other rows")
    assert project.run()[1] == "stages.shout: run 2\n"


def test_other_parameters_or_code_find_nothing_of_it_and_those_before_find_theirs(project: Project) -> None:
    write(project, COUNTED)
    project.run()
    (project.root / "params.yaml").write_text("shout: {mark: '?'}\n")

    assert project.run()[1] == "stages.shout: run 1\n"
    (project.root / "params.yaml").write_text("shout: {mark: '!'}\n")
    (project.root / "source.txt").write_text("other rows")
    assert project.run()[1] == "stages.shout: run 2\n"
    write(project, COUNTED.replace("read_text())\nreturn", "read_text().upper())\nreturn"))
    assert project.run()[1] == "stages.shout: run 1\n"


def test_two_memos_of_a_stage_are_kept(project: Project) -> None:
    write(project, COUNTED)
    for mark in "abc":
        (project.root / "params.yaml").write_text(f"shout: {{mark: {mark}}}\n")
        assert project.run()[1] == "stages.shout: run 1\n"
    (project.root / "source.txt").write_text("other rows")
    project.run()

    assert len(list((project.root / ".dvc/cache/modelmake/memos/stages.shout").iterdir())) == 2


def test_only_one_process_has_a_memo(tmp_path: Path) -> None:
    (tmp_path / ".dvc").mkdir()

    assert work_store.memo(tmp_path, "shout", "0123456789abcdef") is not None
    assert work_store.memo(tmp_path, "shout", "0123456789abcdef") is None
    assert work_store.memo(tmp_path, "shout", "fedcba9876543210") is not None


def test_an_archive_is_there_for_all_later_runs(project: Project) -> None:
    for change in ("", " more", " and more", " and yet more"):
        write(project, COUNTED.replace("read_text())\nreturn", f"read_text() + '{change}')\nreturn"))
        file = project.root / "stages/shout.py"
        file.write_text(file.read_text().replace("Memo", "Archive"))
        (project.root / "params.yaml").write_text(f"shout: {{mark: 'x{change}'}}\n")
        (project.root / "source.txt").write_text(f"rows{change}")
        last = project.run()[1]

    assert last == "stages.shout: run 4\n"
    assert (project.root / ".dvc/cache/modelmake/archives/shout/runs").read_text() == "xxxx"
