"""Keys: what a stage's code and locked packages hash to.

A key lists the first-party symbols that a stage's program reaches, each with a hash, the data files that they name,
and the closure of the versions that `uv.lock` resolves for the packages that their modules import. It is pure: files
in, a dict out; the same on every machine.
"""

import hashlib
import json
import re
import sys
import tomllib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from modelmake.errors import UserError
from modelmake.keys import symbols
from modelmake.keys.reach import reach

FIRST_PARTY = ("modelmake", "stages")
FILES = re.compile(r"^(wheels = \[$.*?^\]$|sdist = .*?$)", re.MULTILINE | re.DOTALL)  # of a package in uv.lock
COSMETIC = ("colorama", "pygments", "rich", "tqdm")  # progress bars and colours: left out, with what only they need


def compute(root: Path, module: str, chosen: Iterable[str] = (), environments: Iterable[str] = ()) -> dict[str, Any]:
    """The key of a stage that runs `module`, and whose parameters choose modules and the tools' `environments`.

    {"python", "symbols": {module: {symbol: hash}}, "whole": {module: why}, "files": {path: MD5},
    "packages": {name: version}, "environments": {folder: {file: hash}}}

    Raises:
        UserError: a module is no Python, or an import is neither first-party, standard nor in `uv.lock`.
    """
    found = reach(root, module, chosen, FIRST_PARTY)
    return {
        "python": (root / ".python-version").read_text().strip(),
        "symbols": {name: dict(sorted(taken.items())) for name, taken in sorted(found.symbols.items())},
        "whole": dict(sorted(found.whole.items())),
        "files": dict(sorted(found.files.items())),
        "packages": packages(root / "uv.lock", found.imports),
        "environments": {name: _environment(root / name) for name in sorted(environments)},
    }


def written(key: dict[str, Any]) -> str:
    """The key as its file has it."""
    return json.dumps(key, indent=1) + "\n"


def packages(lock: Path, imports: dict[str, str]) -> dict[str, str]:
    """{distribution: version} of all that `imports` need, on any platform, as `lock` resolves it."""
    versions, needs = _lock(lock.read_bytes())
    wanted = {}
    for name, by in sorted(imports.items()):
        if name.partition(".")[0] in (*sys.stdlib_module_names, "__main__"):
            continue
        candidates = [_normal(".".join(name.split(".")[:n])) for n in range(1, name.count(".") + 2)]
        distribution = next((c for c in candidates if c in versions), None)
        if distribution is None and any(longer.startswith(f"{name}.") for longer in imports):
            continue  # a namespace, which many distributions share: the longer name tells
        if distribution is None:  # imported under another name: sklearn, PIL
            distribution = next((c for c in _installed(name.partition(".")[0]) if c in versions), None)
        if distribution is None:
            raise UserError(f"{by}: imports {name}, which is not in {lock.name}: `uv add` it")
        if distribution not in COSMETIC:
            wanted[distribution] = versions[distribution]
    queue = list(wanted)
    while queue:
        for name in needs[queue.pop()]:
            if name not in wanted and name not in COSMETIC:
                wanted[name] = versions[name]
                queue.append(name)
    return dict(sorted(wanted.items()))


def difference(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What differs, a phrase each: `stages.clean.redact`, `package torch 2.12.0 -> 2.13.0`, `file stages/words.txt`."""
    found = []
    for before, after, phrase in (
        (_flat(old, "symbols"), _flat(new, "symbols"), "{name}"),
        (old.get("files", {}), new.get("files", {}), "file {name}"),
        (old.get("packages", {}), new.get("packages", {}), "package {name} {a} -> {b}"),
        (_flat(old, "environments"), _flat(new, "environments"), "environment {name}"),
        ({"": old.get("python")}, {"": new.get("python")}, "python {a} -> {b}"),
    ):
        changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
        found += [phrase.format(name=name, a=before.get(name), b=after.get(name)) for name in changed]
    return found


def _flat(key: dict[str, Any], part: str) -> dict[str, str]:
    joint = "." if part == "symbols" else "/"
    return {
        f"{outer}{joint}{inner}" if inner else f"top level of {outer}": value
        for outer, values in key.get(part, {}).items()
        for inner, value in values.items()
    }


def _environment(folder: Path) -> dict[str, str]:
    """An isolated tool: what its lock resolves to, and its own scripts."""
    lock = hashlib.sha256((folder / "uv.lock").read_bytes()).hexdigest()[:16]
    scripts = sorted(folder.glob("*.py"))
    return {"uv.lock": lock, **{file.name: symbols.code_hash(file) for file in scripts}}


@lru_cache(maxsize=64)
def _installed(name: str) -> list[str]:
    """The installed distributions that have a module or package of that name, by their lists of files."""
    records = sorted(record for entry in sys.path for record in Path(entry).glob("*.dist-info/RECORD"))
    begins = (f"\n{name}/".encode(), f"\n{name}.".encode())
    alike = [file for file in records if file.parent.name.startswith(name)]  # vl_convert_python: no need to read all
    for files in (alike, records):
        if found := [_normal(file.parent.name.partition("-")[0]) for file in files if _has(file, begins)]:
            return found
    return []


def _has(record: Path, begins: tuple[bytes, ...]) -> bool:
    content = b"\n" + record.read_bytes()
    return any(line in content for line in begins)


@lru_cache(maxsize=4)
def _lock(content: bytes) -> tuple[dict[str, str], dict[str, list[str]]]:
    """`uv.lock` as {distribution: version} and {distribution: distributions it needs, extras included}."""
    versions: dict[str, list[str]] = {}
    needs: dict[str, list[str]] = {}
    without_files = FILES.sub("", content.decode())  # most of it, and most of the time that reading it takes
    for package in tomllib.loads(without_files)["package"]:
        name = package["name"]
        versions.setdefault(name, []).append(package.get("version", ""))
        extras = [d for group in package.get("optional-dependencies", {}).values() for d in group]
        needs.setdefault(name, []).extend(d["name"] for d in [*package.get("dependencies", []), *extras])
    return {name: ",".join(sorted(found)) for name, found in versions.items()}, needs


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
