"""A stage and its children end when the dvc that started them ends, and only then."""

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from modelmake.running import supervision
from tests.modelmake.conftest import StageProject, wait_until

BODY = """
import os, subprocess
child = subprocess.Popen(["sleep", "60"])
root = Path(__file__).parents[1]
(root / "pids.partial").write_text(f"{os.getpid()} {child.pid}")
(root / "pids.partial").rename(root / "pids")
wait_for("go")
child.kill()
loud.touch()
return ""
"""
STARTER = "import subprocess, sys\nsubprocess.run(['sh', '-c', sys.argv[1] + '; true'])\n"


def gone(pid: int) -> bool:
    """True if a process has ended; a zombie has."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def start(project: StageProject, name: str) -> tuple[subprocess.Popen[bytes], list[int]]:
    """A process that runs a script of this `name`, and the ids of the stage and the child it started by a shell."""
    project.write_stage(BODY)
    (project.root / name).write_text(STARTER)
    starter = subprocess.Popen(
        [sys.executable, name, shlex.join(project.command)], cwd=project.root, stderr=subprocess.DEVNULL
    )
    wait_until((project.root / "pids").exists)
    return starter, [int(pid) for pid in Path(project.root / "pids").read_text().split()]


def test_a_stage_and_its_child_end_soon_after_their_dvc_is_killed(project: StageProject) -> None:
    starter, pids = start(project, "dvc")
    try:
        assert not any(map(gone, pids))

        starter.send_signal(signal.SIGKILL)
        starter.wait()

        wait_until(lambda: all(map(gone, pids)), timeout_s=5)
        assert not (project.root / "made/loud.txt").exists()
    finally:
        end(pids)


def test_a_stage_that_no_dvc_started_outlives_the_process_that_started_it(project: StageProject) -> None:
    starter, pids = start(project, "starter")
    try:
        starter.send_signal(signal.SIGKILL)
        starter.wait()
        time.sleep(4 * supervision.INTERVAL_S)
        (project.root / "go").touch()

        wait_until((project.root / "made/loud.txt").exists)
    finally:
        end(pids)


def end(pids: list[int]) -> None:
    for pid in pids:
        if not gone(pid):
            os.kill(pid, signal.SIGKILL)
