"""A stage's old code and its present code, run on the same share of its inputs.

Each code is in a clone beside the project, as in a rebuild, with a DVC cache of its own. Both get the present
parameters and inputs, which are those that dvc.lock records.
"""

import contextlib
import json
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from modelmake import artifacts, git, params
from modelmake.dvc import graph
from modelmake.errors import UserError
from modelmake.keys import key_file, locked_packages
from modelmake.running import work_store
from modelmake.verifying import clone, input_share
from modelmake.verifying.survey import join

PARAMS, LOCK = "params.yaml", "uv.lock"
MAX_CHARS = 200  # of a message of uv
MAX_COMMITS = 20  # that changed a key file, looked at for the recorded one


@dataclass(frozen=True)
class Code:
    """The code of one time, in a clone, with the keys that its own preflight wrote."""

    path: Path  # of the project in the clone
    name: str  # in words
    python: Path  # folder with the `python` of its packages
    keys: dict[str, str]  # {path in `keys/`: MD5}


@dataclass(frozen=True)
class Probe:
    """The outcome of one probe."""

    rows: dict[str, list[int]]  # {table: [rows of the probe, all]}
    values: dict[str, Any]  # {parameter: its value in the probe, where that was another}
    problem: str  # why the codes cannot be called equal, in words; "" where they wrote the same bytes
    named: int | None = None  # rows of the probe that the stage's recorded tables name; None: no table names rows

    @property
    def met(self) -> str:
        """How many of its rows the stage drops, changes or compares, as far as its tables tell: `, 40 of them …`."""
        if self.named is None:
            return ""
        return f", {f'{self.named:,}' if self.named else 'none'} of them named by the stage's own tables"


def present(root: Path, cleanup: contextlib.ExitStack) -> Code:
    """The code of the working tree: HEAD, and what differs from it."""
    _, path = clone.make(root, cleanup)
    for name in git.changed(root):
        work_store.remove(target := clone.place(path, name))
        if (root / name).is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, target)
    return with_keys(path, "the present code", Path(sys.executable).parent)


def commits_with_key(root: Path, stage: str, md5: str) -> Iterator[str]:
    """The commits up to HEAD that brought a stage's key file with this content, newest first."""
    path = key_file.path_of(stage)
    commits = git.touching(root, path, MAX_COMMITS)
    for commit, content in zip(commits, git.contents(root, [f"{sha}:./{path}" for sha in commits]), strict=True):
        if content is not None and artifacts.md5(content) == md5:
            yield commit


def same_packages(root: Path, commit: str, stage: str) -> bool:
    """True if the present packages do for a stage of a commit: one uv.lock, or all versions in the stage's key."""
    names = (LOCK, ".python-version", key_file.path_of(stage))
    lock, python, key = git.contents(root, [f"{commit}:./{name}" for name in names])
    if lock is None or python is None or python != (root / ".python-version").read_bytes():
        return lock is None and python is None  # a project without packages of its own
    now = locked_packages.versions(root / LOCK)
    recorded = json.loads(key or b"{}").get("packages", {})
    return lock == (root / LOCK).read_bytes() or all(now.get(name) == version for name, version in recorded.items())


def of_commit(root: Path, commit: str, own: bool, cleanup: contextlib.ExitStack) -> Code:
    """The code of a commit, with the present packages, or its own, which `uv` installs from its cache.

    Raises:
        UserError: its packages are not there, or its preflight fails.
    """
    _, path = clone.make(root, cleanup)
    clone.check_out(path, commit)
    python = own_packages(path, commit) if own else Path(sys.executable).parent
    return with_keys(path, f"the code of {commit[:10]}", python)


def own_packages(path: Path, commit: str) -> Path:
    """The folder with the `python` of a clone's own packages, which `uv` installs into it from its cache.

    Raises:
        UserError: there is no `uv`, or a package is not in its cache.
    """
    command = ["uv", "sync", "-q", "--frozen", "--offline"]
    variables = {**clone.environment(Path(sys.executable).parent), "UV_PROJECT_ENVIRONMENT": str(path / ".venv")}
    try:
        done = subprocess.run(command, cwd=path, env=variables, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise UserError(f"its packages changed since {commit[:10]}: want `uv` to install the old") from None
    if done.returncode:
        message = textwrap.shorten(done.stderr, MAX_CHARS, placeholder=" …")
        raise UserError(f"its packages changed since {commit[:10]}, and the old cannot be installed offline: {message}")
    return path / ".venv/bin"


def with_keys(path: Path, name: str, python: Path) -> Code:
    """The code of a clone, once its own preflight has written its keys.

    Raises:
        UserError: no stage writes keys, or preflight fails.
    """
    preflight = next((s for s in graph.stages(path).values() if key_file.FOLDER in s.outs), None)
    if preflight is None:
        raise UserError(f"dvc.yaml of {name}: no stage writes {key_file.FOLDER}/: want one whose code has a key")
    done = _run(path, preflight.cmd, python)
    if done.returncode:
        raise UserError(f"{name}: preflight fails: {_last_line(done.stderr or done.stdout)}")
    files = artifacts.measure(path / key_file.FOLDER).files
    return Code(path, name, python, {f"{key_file.FOLDER}/{name}": file.md5 for name, file in files.items()})


def run(
    root: Path, stage: graph.Stage, inputs: Mapping[str, artifacts.Files], codes: tuple[Code, Code], rows: int,
    values: Mapping[str, Any],
) -> Probe:  # fmt: skip
    """Runs the codes on about `rows` rows of each table among the inputs, {path: its files}, and compares the outputs.

    Args:
        values: {pattern of a parameter's dotted name: its value in probes}.

    Raises:
        UserError: an input or output is outside of the project.
    """
    replaced_here = [clone.place(code.path, path) for code in codes for path in (*stage.outs, *inputs)]
    whole, replaced = params.load(root / PARAMS), {}
    _replace(whole, stage.params, values, "", replaced)
    old, new = codes
    share = new.path / ".dvc/tmp/probe" / stage.name
    tables = [file for out in stage.outs for file in _parquet(root / out) if input_share.has_ids(file)]
    named = input_share.named_together(tables, rows)
    shares = _share(root, inputs, share, rows, named)
    ids = [id for file in shares if file.endswith(".jsonl") for id in input_share.ids(share / file)]
    met = len(named.intersection(ids)) if ids and tables else None
    for path in (p for p in stage.deps if key_file.is_in_folder(p) and p != stage.key_file):  # of preflight
        clone.place(old.path, path).write_bytes((new.path / path).read_bytes())
    for path in replaced_here:
        work_store.remove(path)
    for code in codes:
        shutil.copytree(share, code.path, copy_function=work_store.link_or_copy, dirs_exist_ok=True)
        write_params(code.path / PARAMS, whole)
        done = _run(code.path, stage.cmd, code.python)
        if done.returncode:
            return Probe(shares, replaced, f"{code.name} fails on it: {_last_line(done.stderr or done.stdout)}")
    differing = [line for out in stage.outs for line in _differences(out, old.path, new.path)]
    return Probe(shares, replaced, f"other bytes: {', '.join(differing)}" if differing else "", met)


def _replace(
    values: dict[str, Any], sections: tuple[str, ...], patterns: Mapping[str, Any], above: str, replaced: dict[str, Any]
) -> None:
    """Replaces the parameters of a stage whose dotted names match a pattern."""
    for name, value in values.items():
        dotted = f"{above}{name}"
        if isinstance(value, dict):
            _replace(value, sections, patterns, f"{dotted}.", replaced)
        elif any(f"{dotted}.".startswith(f"{section}.") for section in sections):
            for pattern, small in patterns.items():
                if fnmatchcase(dotted, pattern) and value != small:
                    values[name] = replaced[dotted] = small


def _parquet(output: Path) -> list[Path]:
    return [output] if output.suffix == ".parquet" and output.is_file() else sorted(output.rglob("*.parquet"))


def _share(
    root: Path, inputs: Mapping[str, artifacts.Files], folder: Path, rows: int, named: set[str]
) -> dict[str, list[int]]:
    """Writes the share of the inputs into a folder; returns {table: [rows taken, all]}."""
    work_store.remove(folder)
    shares = {}
    for path, files in inputs.items():
        if "" not in files:
            clone.place(folder, path).mkdir(parents=True, exist_ok=True)
        for name in files:
            file = join(path, name)
            if (share := input_share.take(root / file, clone.place(folder, file), rows, named)) is not None:
                shares[file] = list(share)
    return shares


def write_params(file: Path, values: dict[str, Any]) -> None:
    """Writes values as YAML in the place of a file, which may be a link."""
    from ruamel.yaml import YAML

    file.unlink(missing_ok=True)
    YAML(typ="safe", pure=True).dump(values, file)


def _differences(out: str, old: Path, new: Path) -> Iterator[str]:
    """The files of an output that differ; of JSONL the first line that does."""
    before, now = (artifacts.measure(path / out).files if (path / out).exists() else {} for path in (old, new))
    for name in sorted(before.keys() | now.keys()):
        file = out if (old / out).is_file() and (new / out).is_file() else f"{out}/{name}"
        if name not in before or name not in now:
            yield f"{file} only by {'the old code' if name in before else 'the present'}"
        elif before[name] != now[name]:
            yield f"{file}{_line(old / file, new / file) if file.endswith('.jsonl') else ''}"


def _line(old: Path, new: Path) -> str:
    with old.open("rb") as before, new.open("rb") as now:
        number = next((n for n, (a, b) in enumerate(zip(before, now, strict=False), 1) if a != b), None)
    return f" from line {number}" if number else " at its end"


def _run(path: Path, command: str, python: Path) -> subprocess.CompletedProcess[str]:
    return clone.run(command, path, python, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "no message")
