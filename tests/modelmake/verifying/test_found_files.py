"""A file that is found elsewhere can be made again by the stage that it is from, and its bytes compared."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.conftest import Project
from tests.modelmake.verifying.conftest import command


def test_its_stage_is_run_again_at_the_commit_that_first_recorded_it(project: Project, tmp_path: Path) -> None:
    file = shutil.copy(project.path / "model/m.safetensors", tmp_path / "found.safetensors")
    git = ["git", "rev-parse", "HEAD"]
    built = subprocess.run(git, cwd=project.path, capture_output=True, text=True, check=True).stdout.strip()
    project.write("weights.py", "raise SystemExit('of a later commit, without a build')\n")
    when = {"GIT_COMMITTER_DATE": "2090-01-01T00:00:00+0000"}
    for words in (["add", "-A"], ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "later"]):
        subprocess.run(["git", *words], cwd=project.path, check=True, env={**os.environ, **when})
    code, result = command(project, str(file), "--rebuild")

    (found,) = result["found"]
    match = found["matches"]["found.safetensors"]
    assert (match["path"], match["commit"], match["subject"]) == ("model/m.safetensors", built, "built")
    assert (code, result["rebuilt"]) == (0, {f"model of {built[:10]}": {"model": "same"}})


def test_a_forged_file_is_told_from_what_its_stage_makes(project: Project, tmp_path: Path) -> None:
    content = bytearray((project.path / "model/m.safetensors").read_bytes())
    content[-1] ^= 1
    (tmp_path / "found.safetensors").write_bytes(content)
    code, result = command(project, str(tmp_path / "found.safetensors"), "--rebuild")

    (wrong,) = result["found"][0]["wrong"]
    assert "no build has these bytes; nearest is model/m.safetensors of commit" in wrong and "tensor" in wrong
    assert (code, list(result["rebuilt"].values())) == (1, [{"model": "same"}])
