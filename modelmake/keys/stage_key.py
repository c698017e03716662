"""The key of a stage: hashes of the code and data files that it reaches, and versions of its locked packages.

Computing a key reads files of the project and nothing else, and returns the same on every machine. preflight writes it
to keys/<stage>.json. That file is a dep of the stage in dvc.yaml, so DVC compares it; the harness compares it once more
when the stage starts and when it ends.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from modelmake.keys import locked_packages, symbols
from modelmake.keys.carrying import CUT, Cut
from modelmake.keys.reach import reach

FIRST_PARTY = ("modelmake", "stages")


def compute(
    root: Path, module: str, chosen: Iterable[str] = (), environments: Iterable[str] = (), cut: Cut | None = CUT,
    *, values: Any = None,
) -> dict[str, Any]:  # fmt: skip
    """The key of a stage that runs `module`, with the modules and tool `environments` that its parameters select.

    `cut` says what counts of the harness, None: all of it. `values` are those of its parameters that DVC takes for
    others (`params.undecided`).

    {"python", "symbols": {module: {symbol: hash}}, "whole": {module: reason}, "files": {path: MD5},
    "packages": {name: version}, "environments": {folder: {file: hash}}},
    and "texts" where comments, docstrings and lines of code count, "values" where there are such.

    Raises:
        UserError: a module is not Python, or an import is not first-party, standard library or in `uv.lock`.
    """
    reached = reach(root, module, chosen, FIRST_PARTY, cut)
    return {
        "python": (root / ".python-version").read_text().strip(),
        "symbols": {name: dict(sorted(hashes.items())) for name, hashes in sorted(reached.symbols.items())},
        "whole": dict(sorted(reached.whole.items())),
        "files": dict(sorted(reached.files.items())),
        "packages": locked_packages.closure(root / "uv.lock", reached.imports, reached.installed),
        "environments": {name: _environment(root / name) for name in sorted(environments)},
        **({"texts": True} if reached.texts else {}),
        **({"values": hashlib.sha256(repr(values).encode()).hexdigest()[:16]} if values else {}),
    }


def to_json(key: dict[str, Any]) -> str:
    """The content of a key file."""
    return json.dumps(key, indent=1) + "\n"


def difference(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What differs, a phrase each: `stages.clean.redact`, `package torch 2.12.0 -> 2.13.0`, `file stages/words.txt`."""
    phrases = []
    for before, after, phrase in (
        (_flat(old, "symbols"), _flat(new, "symbols"), "{name}"),
        (old.get("files", {}), new.get("files", {}), "file {name}"),
        (old.get("packages", {}), new.get("packages", {}), "package {name} {a} -> {b}"),
        (_flat(old, "environments"), _flat(new, "environments"), "environment {name}"),
        ({"": old.get("python")}, {"": new.get("python")}, "python {a} -> {b}"),
        ({"": old.get("values")}, {"": new.get("values")}, "1, 1.0 or true among the parameters"),
    ):
        changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
        phrases += [phrase.format(name=name, a=before.get(name), b=after.get(name)) for name in changed]
    return phrases


def _flat(key: dict[str, Any], part: str) -> dict[str, str]:
    separator = "." if part == "symbols" else "/"
    return {
        f"{outer}{separator}{inner}" if inner else f"top level of {outer}": value
        for outer, values in key.get(part, {}).items()
        for inner, value in values.items()
    }


def _environment(folder: Path) -> dict[str, str]:
    """{path: hash} of all files of a tool environment, of Python their code, and of the folders that its lock names."""
    hashes = {file.as_posix(): _hash(folder / file) for file in locked_packages.source_files(folder)}
    return hashes | locked_packages.local_contents(folder / "uv.lock")


def _hash(file: Path) -> str:
    return symbols.file_hash(file) if file.suffix == ".py" else hashlib.sha256(file.read_bytes()).hexdigest()[:16]
