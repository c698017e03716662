"""Keys: what a stage's code and locked packages hash to.

A key is the closure of first-party modules that a stage imports, each as the hash of its syntax tree
without comments, docstrings and formatting, and the closure of the versions that `uv.lock` resolves
for the packages those modules import. It is pure: files in, a dict out; the same on every machine.
"""

import ast
import hashlib
import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from modelmake.errors import UserError

FIRST_PARTY = ("modelmake", "stages")


def compute(root: Path, modules: Iterable[str], environments: Iterable[str] = ()) -> dict[str, Any]:
    """The key of a stage that starts at `modules`: {"modules", "packages", "python", "environments"}.

    Raises:
        UserError: an import that is neither first-party, standard nor in `uv.lock`.
    """
    found, imports = closure(root, modules)
    return {
        "python": (root / ".python-version").read_text().strip(),
        "modules": {name: code_hash(path) for name, path in sorted(found.items())},
        "packages": packages(root / "uv.lock", imports),
        "environments": {name: _environment(root / name) for name in sorted(environments)},
    }


def closure(root: Path, modules: Iterable[str]) -> tuple[dict[str, Path], dict[str, str]]:
    """First-party modules reached from `modules` {name: file}, and third-party imports {name: by whom}."""
    found: dict[str, Path] = {}
    imports: dict[str, str] = {}
    queue = [(name, "dvc.yaml") for name in modules]
    while queue:
        name, by = queue.pop()
        if name.partition(".")[0] not in FIRST_PARTY:
            if name.partition(".")[0] not in sys.stdlib_module_names:
                imports.setdefault(name, by)
            continue
        path = _file(root, name)
        if path is None:  # `from package.module import function`
            name = name.rpartition(".")[0]
            path = _file(root, name) if name else None
        if path is None or name in found:
            continue
        found[name] = path
        parent = name.rpartition(".")[0]  # its __init__ runs too
        queue += [(target, name) for target in [*_imports(path, name), *([parent] if parent else [])]]
    return found, imports


def code_hash(path: Path) -> str:
    """Hash of a module's code: comments, docstrings and formatting do not count."""
    return _code(path.read_bytes())[0]


def packages(lock: Path, imports: dict[str, str]) -> dict[str, str]:
    """{distribution: version} of all that `imports` need, on any platform, as `lock` resolves it."""
    versions, needs = _lock(lock.read_bytes())
    wanted = {}
    for name, by in imports.items():
        candidates = [_normal(".".join(name.split(".")[:n])) for n in range(1, name.count(".") + 2)]
        distribution = next((c for c in candidates if c in versions), None)
        if distribution is None:  # imported under another name: sklearn, PIL
            installed = _installed().get(name.partition(".")[0], [])
            distribution = next((c for c in map(_normal, installed) if c in versions), None)
        if distribution is None:
            raise UserError(f"{by}: imports {name}, which is not in {lock.name}: `uv add` it")
        wanted[distribution] = versions[distribution]
    queue = list(wanted)
    while queue:
        for name in needs[queue.pop()]:
            if name not in wanted:
                wanted[name] = versions[name]
                queue.append(name)
    return dict(sorted(wanted.items()))


def difference(old: dict[str, Any], new: dict[str, Any]) -> str:
    """What differs, in a few words: `module stages.clean, package torch 2.12 -> 2.13`."""
    parts = []
    for kind in ("modules", "packages", "environments"):
        a, b = old.get(kind, {}), new.get(kind, {})
        for name in sorted({n for n in a.keys() | b.keys() if a.get(n) != b.get(n)}):
            change = f" {a.get(name)} -> {b.get(name)}" if kind == "packages" else ""
            parts.append(f"{kind.removesuffix('s')} {name}{change}")
    if old.get("python") != new.get("python"):
        parts.append(f"python {old.get('python')} -> {new.get('python')}")
    return ", ".join(parts)


def _environment(folder: Path) -> dict[str, str]:
    """An isolated tool: what its lock resolves to, and its own scripts."""
    lock = hashlib.sha256((folder / "uv.lock").read_bytes()).hexdigest()[:16]
    return {"uv.lock": lock, **{file.name: code_hash(file) for file in sorted(folder.glob("*.py"))}}


def _file(root: Path, name: str) -> Path | None:
    base = root.joinpath(*name.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


def _imports(path: Path, module: str) -> list[str]:
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    names = []
    for level, base, members in _code(path.read_bytes())[1]:
        if level:
            parts = package.split(".")
            base = ".".join([*parts[: len(parts) - level + 1], *([base] if base else [])])
        names += [f"{base}.{member}" for member in members] if members else [base]
    return names


@lru_cache(maxsize=1)
def _installed() -> Mapping[str, list[str]]:
    """{import name: distributions}: 0.2 s, so asked only for names that differ from their distribution's."""
    return importlib.metadata.packages_distributions()


@lru_cache(maxsize=512)
def _code(source: bytes) -> tuple[str, list[tuple[int, str, tuple[str, ...]]]]:
    """A module's hash, and its imports as (relative level, module, members), wherever they stand."""
    tree = ast.parse(source)
    imports: list[tuple[int, str, tuple[str, ...]]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports += [(0, alias.name, ()) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            imports.append((node.level, node.module or "", tuple(alias.name for alias in node.names)))
        body = getattr(node, "body", None)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and body:
            first = body[0].value if isinstance(body[0], ast.Expr) else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                node.body = body[1:]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()[:16], imports


@lru_cache(maxsize=4)
def _lock(content: bytes) -> tuple[dict[str, str], dict[str, list[str]]]:
    """`uv.lock` as {distribution: version} and {distribution: distributions it needs, extras included}."""
    versions: dict[str, list[str]] = {}
    needs: dict[str, list[str]] = {}
    for package in tomllib.loads(content.decode())["package"]:
        name = package["name"]
        versions.setdefault(name, []).append(package.get("version", ""))
        extras = [d for group in package.get("optional-dependencies", {}).values() for d in group]
        needs.setdefault(name, []).extend(d["name"] for d in [*package.get("dependencies", []), *extras])
    return {name: ",".join(sorted(found)) for name, found in versions.items()}, needs


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
