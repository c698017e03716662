"""A stage dies with the dvc that started it, however that dvc dies."""

import os
import signal
import threading

import psutil

INTERVAL_S = 0.3


def die_with_dvc() -> None:
    """Watches every process between this one and its dvc (a shell, `uv run`); ends all when one is gone.

    `PR_SET_PDEATHSIG` would see only the direct parent, and only on Linux.
    """
    watched = _up_to_dvc(psutil.Process())
    if watched:
        threading.Thread(target=_watch, args=(watched,), daemon=True, name="die-with-dvc").start()


def _up_to_dvc(process: psutil.Process) -> list[psutil.Process]:
    """The ancestors up to the nearest dvc, nearest first; none when no dvc started this process."""
    chain = []
    for parent in process.parents():
        chain.append(parent)
        try:
            if any(os.path.basename(word) == "dvc" for word in parent.cmdline()[:3]):
                return chain
        except psutil.Error:
            break
    return []


def _watch(watched: list[psutil.Process]) -> None:
    pause = threading.Event()
    while all(_alive(process) for process in watched):
        pause.wait(INTERVAL_S)
    for child in psutil.Process().children(recursive=True):
        child.kill()
    os.kill(os.getpid(), signal.SIGKILL)


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
