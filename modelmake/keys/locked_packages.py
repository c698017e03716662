"""Packages that imports need, at the versions that `uv.lock` resolves."""

import re
import sys
import tomllib
from functools import lru_cache
from pathlib import Path

from modelmake.errors import UserError

FILES = re.compile(r"^(wheels = \[$.*?^\]$|sdist = .*?$)", re.MULTILINE | re.DOTALL)  # of a package in uv.lock
COSMETIC = ("colorama", "pygments", "rich", "tqdm")  # progress bars and colours: left out, with what only they need


def closure(lock: Path, imports: dict[str, str]) -> dict[str, str]:
    """{distribution: version} of everything that `imports` ({module: importer}) need, on any platform.

    Raises:
        UserError: an import is neither standard library nor in `lock`.
    """
    versions, requirements = _parse(lock.read_bytes())
    packages = {}
    for name, importer in sorted(imports.items()):
        if name.partition(".")[0] in (*sys.stdlib_module_names, "__main__"):
            continue
        candidates = [normalised(".".join(name.split(".")[:n])) for n in range(1, name.count(".") + 2)]
        distribution = next((c for c in candidates if c in versions), None)
        if distribution is None and any(longer.startswith(f"{name}.") for longer in imports):
            continue  # a namespace that many distributions share: the longer name decides
        if distribution is None:  # imported under another name: sklearn, PIL
            distribution = next((c for c in _installed(name.partition(".")[0]) if c in versions), None)
        if distribution is None:
            raise UserError(f"{importer}: imports {name}, which is not in {lock.name}: `uv add` it")
        if distribution not in COSMETIC:
            packages[distribution] = versions[distribution]
    queue = list(packages)
    while queue:
        for name in requirements[queue.pop()]:
            if name not in packages and name not in COSMETIC:
                packages[name] = versions[name]
                queue.append(name)
    return dict(sorted(packages.items()))


@lru_cache(maxsize=64)
def _installed(name: str) -> list[str]:
    """The installed distributions with a module or package of this name, by their lists of files."""
    records = sorted(record for entry in sys.path for record in Path(entry).glob("*.dist-info/RECORD"))
    prefixes = (f"\n{name}/".encode(), f"\n{name}.".encode())
    similar = [file for file in records if file.parent.name.startswith(name)]  # vl_convert_python: read these first
    for files in (similar, records):
        if names := [normalised(file.parent.name.partition("-")[0]) for file in files if _lists(file, prefixes)]:
            return names
    return []


def _lists(record: Path, prefixes: tuple[bytes, ...]) -> bool:
    content = b"\n" + record.read_bytes()
    return any(prefix in content for prefix in prefixes)


@lru_cache(maxsize=4)
def _parse(lock: bytes) -> tuple[dict[str, str], dict[str, list[str]]]:
    """`uv.lock` as {distribution: version} and {distribution: distributions it needs, extras included}."""
    versions: dict[str, list[str]] = {}
    requirements: dict[str, list[str]] = {}
    without_files = FILES.sub("", lock.decode())  # lists of files are most of the lock, and most of the parsing time
    for package in tomllib.loads(without_files)["package"]:
        name = package["name"]
        versions.setdefault(name, []).append(package.get("version", ""))
        extras = [d for group in package.get("optional-dependencies", {}).values() for d in group]
        requirements.setdefault(name, []).extend(d["name"] for d in [*package.get("dependencies", []), *extras])
    return {name: ",".join(sorted(locked)) for name, locked in versions.items()}, requirements


def normalised(name: str) -> str:
    """The name of a distribution as PEP 503 spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()
