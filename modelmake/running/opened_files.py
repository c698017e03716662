"""Files and folders of the project that Python reads while a stage's modules are imported and while it runs.

`watch` has to be called before the first module of the project is imported, as modules may read files then.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modelmake.errors import UserError
from modelmake.running import library_folders
from modelmake.running.library_folders import ENVIRONMENTS, INSTALLED, STANDARD

COMPILED = "__pycache__"  # compiled code of Python and numba, which compare it with its source
CODE = (".py", ".pyc")
# The files of code that opens loaded modules, to import them, to show their lines in warnings and tracebacks, and to
# see if they changed. What they open besides is read: linecache, tokenize and pkgutil open any file for others.
IMPORT = "<frozen importlib._bootstrap_external>"
READERS = frozenset([
    IMPORT, *(f"{folder}tokenize.py" for folder in STANDARD),
    *(f"{folder}numba/core/caching.py" for folder in INSTALLED),
])  # fmt: skip
LISTS = ("os.listdir", "os.scandir")  # without an argument, the current folder
# What reads a file, gives it another name or loads it as compiled code.
EVENTS = frozenset([*LISTS, "ctypes.dlopen", "open", "os.link", "os.rename", "sqlite3.connect"])

modules_at_start: set[str] = set()  # what Python itself had loaded when the watch began: `site`, .pth files
path_at_start: list[str] = []  # sys.path then
variables_at_start: dict[str, str] = {}  # the environment then
_read: set[tuple[str, str]] = set()  # absolute paths and, of each, the real path
_code: set[str] = set()  # real paths of code that was opened as for an import, of no module that was loaded then
_active: list[bool] = []  # empty before the watch begins; [True] while it records
_libraries: tuple[str, ...] = ()  # folders of Python and what is installed, each with a separator at its end


def watch() -> None:
    """Begins to record. Call it once, before the modules of a stage are imported."""
    global _libraries
    if not _active:
        modules_at_start.update(sys.modules)
        path_at_start.extend(sys.path)
        variables_at_start.update(os.environ)
        _libraries += library_folders.around(str(Path.cwd()), (*ENVIRONMENTS, sys.base_prefix))
        _active.append(True)
        sys.addaudithook(_hook)


def pause() -> None:
    """Ends recording until `record`.

    Raises:
        UserError: `watch` was not called.
    """
    if not _active:
        raise UserError(
            "stages/__init__.py: begins no watch of the files that modules read: want `opened_files.watch()` in it"
        )
    _active[0] = False


@contextlib.contextmanager
def record(root: Path) -> Iterator[set[str]]:
    """A set that is filled at the end of the block: paths, from `root`, of all that was read since the watch began.

    Imported code, .dvc and what does not exist are left out, and what a library opens in C is not seen. From a sandbox,
    only an absolute path leads to a file of the project.
    """
    paths: set[str] = set()
    _active[0] = True
    try:
        yield paths
    finally:
        _active[0] = False
        code = {(path, path) for path in _code if not _is_loaded(path)}  # the program is loaded after it is read
        # what a link leads to; the link, if that is outside of the project
        found = {real if real.startswith(f"{root}{os.sep}") else path for path, real in _read | code}
        in_project = {os.path.relpath(path, root) for path in found if path.startswith(f"{root}{os.sep}")}
        existing = {path for path in in_project if os.path.exists(os.path.join(root, path))}
        paths |= {path for path in existing if not {".dvc", COMPILED} & set(Path(path).parts)}


def uncovered(root: Path, paths: set[str], key: dict[str, Any]) -> list[str]:
    """Those of the `paths` of `record` that a key does not cover, sorted.

    A folder, whose names were read, is covered if all data files in it are in the key, and all modules; code if its
    text is.
    """
    folders = tuple(f"{folder}{os.sep}" for folder in key["environments"])
    modules = [name.replace(".", "/") for name in key["symbols"]] if key.get("texts") else []
    covered = {*key["files"], *(f"{name}{end}" for name in modules for end in (".py", "/__init__.py"))}
    return sorted(
        path for path in paths
        if path not in covered and not f"{path}{os.sep}".startswith(folders)
        and not ((root / path).is_dir() and all(_in_key(entry, root, key) for entry in (root / path).iterdir()))
    )  # fmt: skip


def _in_key(entry: Path, root: Path, key: dict[str, Any]) -> bool:
    """True if an edit of a folder that adds or removes this entry would change the key."""
    path = entry.relative_to(root).as_posix()
    module = path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    if entry.name == COMPILED or entry.suffix == ".pyc":
        return True
    if entry.is_dir():
        return any(name.startswith(f"{path}/") for name in key["files"]) or module in key["symbols"]
    return path in key["files"] or (entry.suffix == ".py" and module in key["symbols"])


def _hook(event: str, arguments: tuple) -> None:
    if _active != [True] or event not in EVENTS:
        return
    path = os.curdir if arguments[0] is None and event in LISTS else arguments[0]
    if path is None or isinstance(path, int):  # this process as a library; already open
        return
    path = os.fsdecode(path)
    if path.startswith(_libraries):
        return
    if event == "open" and arguments[2] & os.O_ACCMODE == os.O_WRONLY:
        return
    caller = sys._getframe(1).f_code.co_filename
    if event == "open" and caller in READERS and path.endswith(CODE):
        _code.update([] if _is_loaded(path) else [os.path.realpath(path)])
    elif not (event != "open" and caller == IMPORT):
        _read.add((os.path.abspath(path), os.path.realpath(path)))


def _is_loaded(path: str) -> bool:
    """True for the code of a module that is loaded, or about to run; of compiled code its source is compared."""
    places = (path, os.path.realpath(path))
    return path.endswith(".pyc") or any(_file(module) in places for module in list(sys.modules.values()))


def _file(module: Any) -> Any:
    """The file of a module, None if it has none. A lazy module is not asked, as it would load itself."""
    try:
        return object.__getattribute__(module, "__dict__").get("__file__")
    except AttributeError:  # what C code has put among the modules, such as the functions of a library of cffi
        return None
