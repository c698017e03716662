"""Packages that imports need, at the versions that `uv.lock` resolves."""

import hashlib
import os
import re
import sys
import tomllib
from collections.abc import Collection, Iterable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from modelmake.errors import UserError

FILES = re.compile(r"^(wheels = \[$.*?^\]$|sdist = .*?$)", re.MULTILINE | re.DOTALL)  # of a package in uv.lock
PYPI = "https://pypi.org/simple"  # of which a version says all
# Sources in uv.lock that are folders of Python modules: read where they are, or copied. `virtual` has none.
FOLDERS = ("editable", "directory")
# Files and folders in them that are no source, and folders that builds write, at the top.
NO_SOURCE = frozenset([
    ".DS_Store", ".cache", ".coverage", ".git", ".hypothesis", ".idea", ".ipynb_checkpoints", ".mypy_cache", ".nox",
    ".pytest_cache", ".ruff_cache", ".tox", ".venv", ".vscode", "__pycache__", "node_modules",
])  # fmt: skip
BUILT = frozenset(["build", "dist", "htmlcov"])
MARKS = ("CACHEDIR.TAG", "pyvenv.cfg")  # in caches (that of cargo, `target`, too) and environments, whatever their name
COSMETIC = ("colorama", "pygments", "rich", "tqdm")  # progress bars and colours: left out, with what only they need


def closure(lock: Path, imports: dict[str, str], named: Collection[str] = ()) -> dict[str, str]:
    """{distribution: version} of everything that `imports` ({module: importer}) need, on any platform.

    Besides of the distributions `named`, `*` for all, which code asks about.

    Raises:
        UserError: an import is neither standard library nor in `lock`; a folder is copied or absent, or of wheels.
    """
    locked = _read(lock)
    wanted = []
    for name, importer in sorted(imports.items()):
        if name.partition(".")[0] in (*sys.stdlib_module_names, "__main__"):
            continue
        distribution = _named(name, locked)
        if distribution is None and any(longer.startswith(f"{name}.") for longer in imports):
            continue  # a namespace that many distributions share: the longer name decides
        distribution = distribution or _installed_as(name, locked) or _in_folder(name, lock, locked)
        if distribution is None:
            raise UserError(f"{importer}: imports {name}, which is not in {lock.name}: `uv add` it")
        wanted.append(distribution)
    asked = locked.versions.keys() & ({*map(normalised, named)} if "*" not in named else locked.versions.keys())
    packages = {name: locked.versions[name] for name in sorted(_needed(wanted, locked, COSMETIC) | asked)}
    if unhashed := sorted(locked.unhashed & packages.keys()):
        raise UserError(
            f"{lock}: {', '.join(unhashed)}: of a folder of wheels, without hashes: want "
            f'`{unhashed[0]} = {{ path = "….whl" }}` in pyproject.toml (tool.uv.sources); then `uv lock`'
        )
    contents = {name: _content(name, lock) for name in locked.folders if name in packages}
    return packages | {name: f"{packages[name]} with content {content}" for name, content in contents.items()}


def local_contents(lock: Path) -> dict[str, str]:
    """{folder: hash of its content} of the packages in a lock that are folders.

    Raises:
        UserError: a folder is copied or absent.
    """
    folders = _read(lock).folders
    return {folder: _content(name, lock) for name, folder in sorted(folders.items(), key=lambda item: item[1])}


def needed(lock: Path, distributions: Iterable[str]) -> set[str]:
    """The distributions, and all that they need or import if it is there."""
    return _needed(distributions, _read(lock), ())


def provider(lock: Path, module: str) -> str | None:
    """The distribution in `lock` that an installed module comes from; None if there is none.

    Lists of files come before names: a module `ours.utils` may be of `ours-utils`, beside a folder `ours`.
    """
    locked = _read(lock)
    return _installed_as(module, locked) or _named(module, locked)


def folders(lock: Path) -> dict[str, Path]:
    """{distribution: its folder} of the packages in a lock that are folders."""
    return {name: (lock.parent / folder).resolve() for name, folder in _read(lock).folders.items()}


def versions(lock: Path) -> dict[str, str]:
    """{distribution: version} of every package in a lock, as in keys; of folders without their content."""
    return _read(lock).versions


class _Lock(NamedTuple):
    """`uv.lock`, without the project itself among `folders`."""

    versions: dict[str, str]  # of each distribution, with its source unless that is PyPI
    requirements: dict[str, list[str]]  # of each distribution, extras included
    folders: dict[str, str]  # of distributions that are folders, relative to the lock
    copied: frozenset[str]  # those of `folders` that uv installs as a copy
    unhashed: frozenset[str]  # from a folder of wheels, of which the lock has no hashes
    if_there: dict[str, list[str]]  # {distribution: what it imports if it is there}: `tool.modelmake` in pyproject.toml


def _needed(wanted: Iterable[str], locked: _Lock, left_out: Iterable[str]) -> set[str]:
    """The distributions `wanted`, and all that they need or import if it is there."""
    needed: set[str] = set()
    queue = list(wanted)
    while queue:
        name = queue.pop()
        if name in locked.versions and name not in needed and name not in left_out:
            needed.add(name)
            queue += [*locked.requirements[name], *locked.if_there.get(name, ())]
    return needed


def _named(module: str, locked: _Lock) -> str | None:
    """The locked distribution that has the name of a module or of a package around it, the longest first."""
    candidates = [normalised(".".join(module.split(".")[:n])) for n in range(module.count(".") + 1, 0, -1)]
    return next((c for c in candidates if c in locked.versions), None)


def _installed_as(module: str, locked: _Lock) -> str | None:
    """The locked distribution that installed a module under another name: PIL, google.protobuf."""
    paths = ["/".join(module.split(".")[:parts]) for parts in (2, 1) if parts <= module.count(".") + 1]
    return next((c for path in paths for c in _installed(path) if c in locked.versions), None)


def _in_folder(module: str, lock: Path, locked: _Lock) -> str | None:
    """The distribution, a folder, that holds a module."""
    top = module.partition(".")[0]
    places = [(name, lock.parent / folder / inner) for name, folder in locked.folders.items() for inner in ("", "src")]
    return next((n for n, place in places if (place / top).is_dir() or (place / f"{top}.py").is_file()), None)


def source_files(folder: Path) -> list[Path]:
    """All files in a folder and behind links in it, relative to it and sorted, without those that are no source."""
    found = []
    for path, folders, files in os.walk(folder, followlinks=True):
        left_out = NO_SOURCE | BUILT if Path(path) == folder else NO_SOURCE
        names = [name for name in folders if name not in left_out and not name.endswith(".egg-info")]
        folders[:] = [name for name in names if not _is_made(Path(path, name)) and not leads_around(Path(path, name))]
        found += [Path(path, file) for file in files if file not in NO_SOURCE and not file.startswith(".coverage.")]
    return sorted(file.relative_to(folder) for file in found if file.is_file())


def _is_made(folder: Path) -> bool:
    """True for a folder that says of itself that it is a cache or an environment."""
    return any((folder / mark).exists() for mark in MARKS)


def leads_around(path: Path) -> bool:
    """True for a link to a folder that the link is in, or in which a link on the way to it is."""
    return path.is_symlink() and path.resolve() in [parent.resolve() for parent in path.parents]


def _content(name: str, lock: Path) -> str:
    """16 hex digits over the paths and bytes of all files of a package that is a folder.

    uv makes a copy anew when its pyproject.toml changes, not when its modules do: the copy may be older or newer.
    """
    locked = _read(lock)
    folder = lock.parent / locked.folders[name]
    if not folder.is_dir():
        raise UserError(f"{lock}: {name}: no folder {folder}: put it there")
    if name in locked.copied:
        raise UserError(
            f"{lock}: {name} is installed as a copy of {locked.folders[name]}, which uv leaves as it is when modules "
            "there change: want `editable = true` in pyproject.toml (tool.uv.sources), or a wheel (`uv build`)"
        )
    digest = hashlib.sha256()
    for file in source_files(folder):
        with (folder / file).open("rb") as opened:
            content = hashlib.file_digest(opened, "sha256").hexdigest()
        digest.update(f"{file.as_posix()} {content} ".encode())
    return digest.hexdigest()[:16]


@lru_cache(maxsize=64)
def _installed(path: str) -> list[str]:
    """The installed distributions with a module or package at this path, by their lists of files."""
    records = _records(tuple(sys.path))
    prefixes = (f"\n{path}/".encode(), f"\n{path}.".encode())
    similar = [file for file in records if path in file.parent.name.lower()]  # vl_convert_python: read these first
    for files in (similar, records):
        if names := [normalised(file.parent.name.partition("-")[0]) for file in files if _lists(file, prefixes)]:
            return names
    return []


@lru_cache(maxsize=4)
def _records(paths: tuple[str, ...]) -> list[Path]:
    """The lists of files of all installed distributions."""
    return sorted(record for entry in paths for record in Path(entry).glob("*.dist-info/RECORD"))


def _lists(record: Path, prefixes: tuple[bytes, ...]) -> bool:
    content = b"\n" + record.read_bytes()
    return any(prefix in content for prefix in prefixes)


def _read(lock: Path) -> _Lock:
    project = lock.with_name("pyproject.toml")
    return _parse(lock.read_bytes(), project.read_bytes() if project.is_file() else b"")


@lru_cache(maxsize=4)
def _parse(lock: bytes, project: bytes) -> _Lock:
    versions: dict[str, list[str]] = {}
    requirements: dict[str, list[str]] = {}
    folders: dict[str, str] = {}
    copied, unhashed = set(), set()
    # lists of files are most of the lock, and most of the parsing time
    blocks = lock.decode().split("[[package]]\n")
    text = "[[package]]\n".join(FILES.sub("", b) if f'registry = "{PYPI}"' in b else b for b in blocks)
    for package in tomllib.loads(text).get("package", []):
        name, source = package["name"], package.get("source", {"registry": PYPI})
        folder = next((source[kind] for kind in FOLDERS if kind in source), None)
        if folder not in (None, "."):
            folders[name] = folder
            copied |= {name} if "directory" in source else set()
        files = [package.get("sdist", {}), *package.get("wheels", [])] if source.get("registry") != PYPI else []
        unhashed |= {name} if any("path" in file and "hash" not in file for file in files) else set()
        origin = [f"{kind} {place}" for kind, place in source.items() if place != PYPI and place != "."]
        hashes = sorted(file["hash"] for file in files if "hash" in file)
        versions.setdefault(name, []).append(" ".join([package.get("version", ""), *origin, *hashes]))
        extras = [d for group in package.get("optional-dependencies", {}).values() for d in group]
        requirements.setdefault(name, []).extend(d["name"] for d in [*package.get("dependencies", []), *extras])
    if_there = tomllib.loads(project.decode()).get("tool", {}).get("modelmake", {}).get("imports-if-there", {})
    joined = {name: ",".join(sorted(locked)) for name, locked in versions.items()}
    return _Lock(joined, requirements, folders, frozenset(copied), frozenset(unhashed), if_there)


def normalised(name: str) -> str:
    """The name of a distribution as PEP 503 spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()
