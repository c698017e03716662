"""A stage dies with the dvc that started it, however that dvc dies; and what it reads of its project is seen."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil

COMPILED = "__pycache__"  # Python's and numba's, which compare it with the source
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


@contextlib.contextmanager
def reads(root: Path) -> Iterator[set[str]]:
    """The files of the project, by path from `root`, that Python opens meanwhile, but for code and what is in .dvc.

    A library that opens files in C is not seen; in a sandbox it finds inputs only, unless it is given an absolute path.
    """
    found: set[str] = set()
    watching = [True]
    ours, libraries = f"{root}{os.sep}", f"{sys.prefix}{os.sep}"

    def hook(event: str, arguments: tuple) -> None:
        if not watching or event != "open" or not isinstance(arguments[0], str):
            return
        if arguments[2] & os.O_ACCMODE == os.O_RDONLY:
            path = os.path.realpath(arguments[0])
            if path.startswith(ours) and not path.startswith(libraries) and not path.endswith(".py"):
                relative = os.path.relpath(path, root)
                if not relative.startswith((".dvc", "envs")) and COMPILED not in Path(relative).parts:
                    found.add(relative)

    sys.addaudithook(hook)  # for good: there is no way to take it off
    try:
        yield found
    finally:
        watching.clear()
