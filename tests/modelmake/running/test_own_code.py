"""What a stage runs is what is in its files, whatever their times say."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.modelmake.conftest import ROOT, StageProject


def rewrite(file: Path, old: str, new: str) -> None:
    """Changes a file; size and time stay."""
    status = file.stat()
    file.write_text(file.read_text().replace(old, new))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert file.stat().st_size == status.st_size


@pytest.mark.parametrize("file", ["stages/words.py", "stages/shout.py"])
def test_an_edit_that_keeps_size_and_time_runs(project: StageProject, file: str) -> None:
    project.write_stage("from stages import words\nloud.write_text(words.MARK + 'a')\nreturn ''")
    (project.root / "stages/words.py").write_text("MARK = 'a'\n")
    for run in range(2):  # Python writes compiled files at the first
        (project.root / "source.txt").write_text(f"{run}")
        assert project.run()[0] == 0
    assert project.published() == {"loud.txt": "aa"}

    rewrite(project.root / file, "'a'", "'b'")

    assert project.run()[0] == 0
    assert project.published() == {"loud.txt": "ba" if "words" in file else "ab"}


def test_compiled_code_without_a_source_is_not_run(project: StageProject) -> None:
    project.write_stage("from stages import words\nloud.write_text(words.MARK)\nreturn ''")
    (project.root / "stages/words.py").write_text("MARK = 'a'\n")
    assert project.run()[0] == 0
    [compiled] = (project.root / "stages/__pycache__").glob("words.*.pyc")

    compiled.rename(project.root / "stages/words.pyc")
    (project.root / "stages/words.py").unlink()

    code, _, err = project.run()
    assert code == 1
    assert "cannot import name 'words'" in err


def test_an_edit_of_a_package_that_is_a_folder_runs_and_installed_code_is_left_to_python(tmp_path: Path) -> None:
    module, script = tmp_path / "ours/metrics.py", tmp_path / "script.py"
    module.parent.mkdir()
    module.write_text("X = 'a'\n")
    script.write_text(
        "import sys\nfrom modelmake.running import own_code\nown_code.import_by_content()\n"
        f"sys.path.insert(0, {str(module.parent)!r})\nimport metrics, msgspec, colorsys\n"
        "print(metrics.X, *(type(m.__spec__.loader).__name__ for m in (metrics, msgspec, colorsys)))\n"
    )

    def run() -> str:
        return subprocess.run(
            [sys.executable, script], env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
        ).stdout

    assert run() == "a _ByContent SourceFileLoader SourceFileLoader\n"
    rewrite(module, "'a'", "'b'")
    assert run() == "b _ByContent SourceFileLoader SourceFileLoader\n"
