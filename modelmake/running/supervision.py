"""Ends a stage, with its children, when the dvc that started it ends for whatever reason."""

import os
import signal
import threading

import psutil

INTERVAL_S = 0.3  # between two looks at the processes


def die_with_dvc() -> None:
    """Watches every process between this one and its dvc (a shell, `uv run`) and kills this one when one is gone.

    `PR_SET_PDEATHSIG` would watch the direct parent only, and only on Linux.
    """
    ancestors = _up_to_dvc(psutil.Process())
    if ancestors:
        threading.Thread(target=_watch, args=(ancestors,), daemon=True, name="die-with-dvc").start()


def _up_to_dvc(process: psutil.Process) -> list[psutil.Process]:
    """The ancestors up to the nearest dvc, nearest first; none if no dvc started this process."""
    ancestors = []
    for parent in process.parents():
        ancestors.append(parent)
        try:
            if any(os.path.basename(word) == "dvc" for word in parent.cmdline()[:3]):
                return ancestors
        except psutil.Error:
            break
    return []


def _watch(ancestors: list[psutil.Process]) -> None:
    pause = threading.Event()
    while all(_alive(process) for process in ancestors):
        pause.wait(INTERVAL_S)
    for child in psutil.Process().children(recursive=True):
        child.kill()
    os.kill(os.getpid(), signal.SIGKILL)


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
