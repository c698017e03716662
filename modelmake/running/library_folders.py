"""The folders of Python's own library, and of the packages that are installed for the project.

`uv run --with X` starts an environment of its own, which extends the project's: what is installed is in the latter. X
is in a third folder, which is none of these, as no lock has it.
"""

import os
import re
import sys
import sysconfig
from collections.abc import Iterable, Iterator

EXTENDED = re.compile(r"^extends-environment *= *(.+?) *$", re.MULTILINE)  # in pyvenv.cfg of uv


def _environments() -> Iterator[str]:
    folder = sys.prefix
    while folder:
        yield folder
        file = os.path.join(folder, "pyvenv.cfg")
        extended = None
        if os.path.exists(file):
            with open(file, encoding="utf-8") as config:
                extended = EXTENDED.search(config.read())
        folder = extended[1] if extended else ""


def _folders(*names: str, environments: tuple[str, ...]) -> tuple[str, ...]:
    paths = (sysconfig.get_path(name, vars={"base": e, "platbase": e}) for e in environments for name in names)
    return tuple(dict.fromkeys(f"{path}{os.sep}" for path in paths))


ENVIRONMENTS = tuple(_environments())
INSTALLED = _folders("purelib", "platlib", environments=ENVIRONMENTS)  # as imported from; each ends with a separator
STANDARD = _folders("stdlib", "platstdlib", environments=(sys.prefix,))
LIBRARIES = (*INSTALLED, *STANDARD)


def around(project: str, prefixes: Iterable[str]) -> tuple[str, ...]:
    """The folders of installed code. One that has the project in it, as /usr has /usr/src/app, is none."""
    folders = {*LIBRARIES, *(f"{prefix}{os.sep}" for prefix in prefixes)}
    return tuple(folder for folder in folders if not f"{project}{os.sep}".startswith(folder))
