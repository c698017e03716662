"""Files of the project that a stage opens are known, however it gets their paths."""

from pathlib import Path

from modelmake.running import opened_files
from tests.modelmake.conftest import StageProject


def test_files_opened_for_reading_are_recorded_by_their_path_from_the_root(tmp_path: Path) -> None:
    for name in ("rows.txt", "code.py", ".dvc/config", "envs/tool/uv.lock", "made.txt", "late.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "link.txt").symlink_to(tmp_path / "rows.txt")

    with opened_files.record(tmp_path) as opened:
        for name in ("link.txt", "code.py", ".dvc/config", "envs/tool/uv.lock"):
            (tmp_path / name).read_text()
        (tmp_path / "made.txt").write_text("written, not read")
        Path(__file__).read_text()
    (tmp_path / "late.txt").read_text()

    assert opened == {"rows.txt"}


def test_compiled_code_beside_a_module_may_be_read(project: StageProject) -> None:
    project.write_stage(
        "[compiled] = Path(__file__).parent.rglob('*.nbi')\nloud.write_bytes(compiled.read_bytes())\nreturn ''"
    )
    (project.root / "stages/__pycache__").mkdir(exist_ok=True)
    (project.root / "stages/__pycache__/shout.kernel.nbi").touch()

    assert project.run() == (0, "stages.shout: \n", "")


def test_a_file_read_by_its_absolute_path_is_refused_by_name(project: StageProject) -> None:
    project.write_stage("(Path(__file__).parents[1] / 'other.txt').read_text()\nloud.touch()\nreturn ''")
    (project.root / "other.txt").write_text("x")

    assert project.run() == (
        1,
        "",
        "stages.shout: read other.txt, which is neither an input nor in its key: declare it in dvc.yaml, "
        "or, if it belongs to the code, write its path from the project's root there; nothing published\n",
    )
