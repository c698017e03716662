"""A patch of DVC: it replaces its lock files in one step. Python imports it when it starts, by the .pth file beside it.

DVC writes dvc.lock (for a tenth of a second a stage) and .dvc/tmp/rwlock (which process reads and writes which path) in
place. A kill meanwhile leaves an empty or torn file, which the next `dvc repro` refuses to read. Entries of a process
that has ended count for nothing, also while it is a zombie (docs/decisions/0017). Remove this once DVC does the same.
"""

import os
import sys
from contextlib import contextmanager
from importlib.util import find_spec


def _dvc_lock(dump):
    """`_dump_data`, which writes every YAML file of DVC's."""

    def dump_data(path, *arguments, **options):
        folder, name = os.path.split(os.path.realpath(path))
        if name != "dvc.lock":
            return dump(path, *arguments, **options)
        partial = os.path.join(folder, f".{name}.partial")
        dump(partial, *arguments, **options)
        os.replace(partial, os.path.join(folder, name))

    return dump_data


def _rwlock(edit):
    """`_edit_rwlock`, which reads, changes and writes the file while it holds a lock."""
    return lambda lock_dir, fs, hardlink: edit(lock_dir, _Whole(fs), hardlink)


class _Alive:
    """psutil for which a zombie does not exist."""

    def __init__(self, psutil):
        self._psutil = psutil

    def pid_exists(self, pid):
        try:
            return self._psutil.Process(pid).status() != self._psutil.STATUS_ZOMBIE
        except self._psutil.NoSuchProcess:
            return False


class _Whole:
    """A file system on which a file that is opened for writing takes its place when it is closed."""

    def __init__(self, fs):
        self._fs = fs

    def __getattr__(self, name):
        return getattr(self._fs, name)

    @contextmanager
    def open(self, path, mode="r", **options):
        written = f"{path}.partial" if mode == "w" else path
        with self._fs.open(written, mode, **options) as file:
            yield file
        if written != path:
            os.replace(written, path)


CHANGED = {
    "dvc.utils.serialize._common": {"_dump_data": _dvc_lock},
    "dvc.rwlock": {"_edit_rwlock": _rwlock, "psutil": _Alive},
}


class _Finder:
    """Changes what modules hold when DVC imports them, so that other programs do not import DVC for this."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name not in CHANGED:
            return None
        changes = CHANGED.pop(name)
        spec = find_spec(name)
        execute = spec.loader.exec_module

        def changed(module):
            execute(module)
            for held, change in changes.items():
                setattr(module, held, change(getattr(module, held)))

        spec.loader.exec_module = changed
        return spec


sys.meta_path.insert(0, _Finder)
