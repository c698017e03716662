"""Files of the project that Python opens for reading while a stage runs."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

COMPILED = "__pycache__"  # compiled code of Python and numba, which compare it with its source


@contextlib.contextmanager
def record(root: Path) -> Iterator[set[str]]:
    """A set that fills with the paths, from `root`, of files opened for reading, other than code, .dvc and envs.

    Files that a library opens in C are not seen. In a sandbox it finds inputs only, unless it gets an absolute path.
    """
    paths: set[str] = set()
    active = [True]
    project, libraries = f"{root}{os.sep}", f"{sys.prefix}{os.sep}"

    def hook(event: str, arguments: tuple) -> None:
        if not active or event != "open" or not isinstance(arguments[0], str):
            return
        if arguments[2] & os.O_ACCMODE == os.O_RDONLY:
            path = os.path.realpath(arguments[0])
            if path.startswith(project) and not path.startswith(libraries) and not path.endswith(".py"):
                relative = os.path.relpath(path, root)
                if not relative.startswith((".dvc", "envs")) and COMPILED not in Path(relative).parts:
                    paths.add(relative)

    sys.addaudithook(hook)  # it cannot be removed, only made to do nothing
    try:
        yield paths
    finally:
        active.clear()
