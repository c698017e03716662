"""The call of a stage's `main`: the environment of its libraries, its imports, and what earlier runs left to it."""

import importlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from modelmake.identity import identity
from modelmake.running import arguments, threads, work_folders, work_store
from modelmake.running.arguments import Stage


class Identities(NamedTuple):
    """The hashes by which a stage finds what its earlier runs left."""

    built_from: str  # of command, code, parameters and inputs
    without_inputs: str


def links(key: dict[str, Any]) -> list[str]:
    """The paths that are in the sandbox besides the inputs."""
    return [*key["environments"], *key["files"], ".dvc"]


def identities(stage: Stage, command: list[str], inputs: dict[str, str], code: dict[str, str]) -> Identities:
    """The identities of a stage with these `inputs` ({path: MD5}) and this `code` ({key file: MD5})."""
    values = arguments.values(stage)
    return Identities(identity(command, {**inputs, **code}, values), identity(command, code, values))


def prepare(stage: Stage, modules: Iterable[str]) -> None:
    """Sets the environment of numeric libraries and imports `modules`: code edited from now on is not run."""
    threads.limit(getattr(stage.arguments.get("machine"), "threads", 1))
    for module in modules:
        if module != stage.module:
            importlib.import_module(module)


def call(main: Callable[..., str], stage: Stage, sandbox: Path, found_by: Identities, measured: dict[str, Any]) -> str:
    """Calls `main` in the sandbox, which is the current folder, and returns its line of counts.

    `measured` is {input: its hashes}.
    """
    for path in stage.outputs:
        path.parent.mkdir(parents=True, exist_ok=True)
    folders = {argument: _folder(stage, kind, sandbox, found_by) for argument, kind in stage.signature.folders.items()}
    hashes = dict.fromkeys(stage.signature.measured, measured)
    return main(**stage.signature.grouped({**stage.arguments, **folders, **hashes}))


def _folder(stage: Stage, kind: str, sandbox: Path, found_by: Identities) -> Path:
    """The folder that `main` asks for: `checkpoints`, `archive` or `memo`."""
    if kind == "checkpoints":
        folder = work_folders.folder(stage.root, work_folders.CHECKPOINTS, stage.name, found_by.built_from)
    elif kind == "archive":
        folder = work_folders.archive(stage.root, stage.module)
    else:  # while another process has the memo, an empty one that is removed with the sandbox
        folder = work_folders.folder(stage.root, work_folders.MEMOS, stage.name, found_by.without_inputs)
        folder = folder if work_store.lock_memo(stage.root, stage.name, found_by.without_inputs) else sandbox / ".memo"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
