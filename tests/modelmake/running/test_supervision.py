"""A stage and its children die with the dvc that started them, and only with it."""

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from modelmake.running import supervision
from tests.modelmake.conftest import Project, wait_until

BODY = """
import os, subprocess
child = subprocess.Popen(["sleep", "60"])
root = Path(__file__).parents[2]
(root / "pids.partial").write_text(f"{os.getpid()} {child.pid}")
(root / "pids.partial").rename(root / "pids")
wait_for("go")
child.kill()
loud.touch()
return ""
"""
STARTER = "import subprocess, sys\nsubprocess.run(['sh', '-c', sys.argv[1] + '; true'])\n"


def gone(pid: int) -> bool:
    """Ended; a zombie that nobody has reaped yet has ended, too."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def start(project: Project, name: str) -> tuple[subprocess.Popen[bytes], list[int]]:
    """A process whose command is a script of this `name`, and the stage and grandchild that it started by a shell."""
    project.write_stage(BODY)
    (project.root / name).write_text(STARTER)
    starter = subprocess.Popen(
        [sys.executable, name, shlex.join(project.command)], cwd=project.root, stderr=subprocess.DEVNULL
    )
    wait_until((project.root / "pids").exists)
    return starter, [int(pid) for pid in Path(project.root / "pids").read_text().split()]


def test_a_stage_and_its_child_are_gone_soon_after_their_dvc_was_killed(project: Project) -> None:
    starter, pids = start(project, "dvc")
    try:
        assert not any(map(gone, pids))

        starter.send_signal(signal.SIGKILL)
        starter.wait()

        wait_until(lambda: all(map(gone, pids)), seconds=5)
        assert not (project.root / "made/loud.txt").exists()
    finally:
        end(pids)


def test_a_stage_that_no_dvc_started_outlives_what_did_start_it(project: Project) -> None:
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
