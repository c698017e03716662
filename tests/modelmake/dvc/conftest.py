"""A project of one stage, built by DVC."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def copied_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("copied")
    (root / "raw").write_text("1\n")
    (root / "dvc.yaml").write_text("stages: {copy: {cmd: head -c 1 raw > out, deps: [raw], outs: [out]}}\n")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    for command in (["init"], ["add", "raw"], ["repro"]):
        subprocess.run([sys.executable, "-m", "dvc", *command, "-q"], cwd=root, check=True)
    return root


@pytest.fixture
def copied(copied_once: Path, tmp_path: Path) -> Path:
    """raw under `dvc add`, copied by one stage; up to date."""
    return shutil.copytree(copied_once, tmp_path / "copied")
