"""Modules of this process that a key does not cover: of packages that it lacks, and of folders that nothing locks."""

import os
import sys
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from types import ModuleType

from modelmake.keys import locked_packages
from modelmake.running.library_folders import INSTALLED, STANDARD


def uncovered(lock: Path, modules: Mapping[str, ModuleType], packages: Iterable[str]) -> list[str]:
    """The distributions besides `packages` that `modules` come from, sorted; what is cosmetic does not count.

    A module of no distribution in `lock` is listed by its own name.
    """
    loaded = {locked_packages.provider(lock, name) or name for name in _installed_names(modules)}
    loaded |= {name for name, folder in locked_packages.folders(lock).items() if _any_in(folder, modules)}
    return sorted(loaded - {*packages, *locked_packages.needed(lock, locked_packages.COSMETIC)})


def copies(lock: Path, modules: Mapping[str, ModuleType]) -> list[str]:
    """The packages in `lock` that are folders, of which `modules` come from an installed copy, sorted."""
    return sorted(
        {locked_packages.provider(lock, n) for n in _installed_names(modules)} & locked_packages.folders(lock).keys()
    )


def elsewhere(
    lock: Path, modules: Mapping[str, ModuleType], paths: Iterable[str], own: Collection[str]
) -> list[str]:  # fmt: skip
    """The files of `modules`, imported or in folders of `paths` (a `sys.path`), of neither the library nor a package.

    Packages in `own`, folders that `lock` names and the program, under whatever name, do not count, nor does code that
    a library writes and runs.
    """
    known = (*INSTALLED, *STANDARD, *(f"{folder}{os.sep}" for folder in locked_packages.folders(lock).values()))
    folders = tuple(f"{os.path.abspath(path)}{os.sep}" for path in paths)
    others = [module for name, module in modules.items() if name.partition(".")[0] not in own]
    files = {file for m in others if (file := _file(m)).startswith(folders) or _origin(m) == file}
    files.discard(_file(sys.modules["__main__"]))
    return sorted(f for f in files if os.path.isabs(f) and not _in(f, known))


def _installed_names(modules: Mapping[str, ModuleType]) -> set[str]:
    """The top-level names of installed modules; up to three parts of names in a namespace of many distributions."""
    names: set[str] = set()
    is_namespace: dict[str, bool] = {}
    for module in modules.values():
        file = _file(module)
        if file.startswith(INSTALLED):
            folder = next(f for f in INSTALLED if file.startswith(f))
            first, *rest = file[len(folder) :].split(os.sep)
            if first not in is_namespace:
                is_namespace[first] = bool(rest) and not os.path.exists(os.path.join(folder, first, "__init__.py"))
            names.add(".".join([first, *rest[:2]]) if is_namespace[first] else first.partition(".")[0])
    return names


def _any_in(folder: Path, modules: Mapping[str, ModuleType]) -> bool:
    return any(_in(_file(module), (f"{folder}{os.sep}",)) for module in modules.values())


def _in(file: str, folders: tuple[str, ...]) -> bool:
    """True for a file in one of the folders, also if a link leads there."""
    return file.startswith(folders) or os.path.realpath(file).startswith(folders)


def _origin(module: ModuleType) -> str | None:
    """The file that the import system found for a module, by whatever finder."""
    return getattr(getattr(module, "__dict__", {}).get("__spec__"), "origin", None)


def _file(module: ModuleType) -> str:
    """The file of a module, "" if it has none. A lazy module is not asked, as it would load itself."""
    file = getattr(module, "__dict__", {}).get("__file__")
    return file if isinstance(file, str) else ""
