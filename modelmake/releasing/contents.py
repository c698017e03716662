"""The files of an artifact as a commit records them: its path in dvc.yaml, its hash in dvc.lock, its objects."""

import json
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from modelmake import artifacts
from modelmake.dvc import internals
from modelmake.errors import UserError
from modelmake.keys import key_file
from modelmake.tracing import lock_entries
from modelmake.tracing.lock_entries import LockedStage
from modelmake.verifying.survey import is_within

Read = Callable[[str], bytes | None]  # the content of a file of a commit by its path from the project; None: no file
# DVC sees no git here, reads no other cache, and leaves nothing outside of the folder
CONFIG = """[core]
    no_scm = true
    analytics = false
    site_cache_dir = "{folder}/site"
[cache]
    dir = cache
"""
PARAMS = "params.yaml"
MD5 = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Recorded:
    """An artifact in a commit."""

    path: str  # from the project
    stages: dict[str, LockedStage]  # of dvc.lock
    outs: dict[str, str]  # {output that is the path, lies in it or holds it: MD5}
    size: int  # bytes of these outputs


def recorded(name: str, read: Read) -> Recorded:
    """An artifact as a commit records it.

    Raises:
        UserError: its dvc.yaml has no such artifact, or its dvc.lock records nothing at the path, or no MD5.
    """
    path = path_of(name, read)
    stages = locked(read)
    outs = {
        out["path"]: out
        for stage in stages.values()
        for out in stage.record.get("outs", [])
        if is_within(out["path"], path) or is_within(path, out["path"])
    }
    if not outs:
        raise UserError(f"dvc.lock: no record of {path}, the path of {name}: want a whole build; run `dvc repro`")
    md5s = {out: _named(str(record.get("md5", "")), f"dvc.lock: {out}", ".dir") for out, record in outs.items()}
    return Recorded(path, stages, md5s, sum(record.get("size", 0) for record in outs.values()))


def locked(read: Read) -> dict[str, LockedStage]:
    """The stages of a commit's dvc.lock, by name, without those that its graph has no longer: DVC leaves them there.

    Raises:
        UserError: it is none.
    """
    graph = read(f"{key_file.FOLDER}/{key_file.GRAPH}")
    try:
        entries = dict(lock_entries.parse(read("dvc.lock") or b"", {}))
        known = entries if graph is None else json.loads(graph)
    except ValueError as error:
        raise UserError(f"dvc.lock: {error}: want what `dvc repro` writes") from None
    records = {name: json.loads(text)["record"] for name, text in entries.items() if name in known}
    return {name: LockedStage(0, name, record) for name, record in records.items()}


def path_of(name: str, read: Read) -> str:
    """The path of an artifact by the commit's dvc.yaml, with the commit's parameters in its templates.

    Raises:
        UserError: it has no such artifact.
    """
    if read("dvc.yaml") is None:
        raise UserError("dvc.yaml: not in this commit: want the commit of a build")
    with tempfile.TemporaryDirectory() as folder:
        write_project(Path(folder), read)
        paths = internals.artifact_paths(Path(folder))
    own = name.rpartition(":")[2]
    if own not in paths:
        known = ", ".join(sorted(paths)) or "(none)"
        raise UserError(f"dvc.yaml: artifacts: no {own}: want one of {known}; or add it, with its path")
    return str(PurePosixPath(paths[own]))


def declares(name: str, read: Read) -> bool:
    """Whether a commit's dvc.yaml has an artifact of this name, templates left as they are."""
    return name.rpartition(":")[2] in (values(read("dvc.yaml"), "dvc.yaml").get("artifacts") or {})


def write_project(folder: Path, read: Read, config: str = "") -> None:
    """Writes dvc.yaml and the values of its templates, as a project that DVC reads without git.

    `config` is added to the configuration.
    """
    entries = values(read("dvc.yaml"), "dvc.yaml").get("vars", [])
    named = [entry.partition(":")[0] for entry in entries if isinstance(entry, str)]
    (folder / ".dvc").mkdir(parents=True, exist_ok=True)
    (folder / ".dvc/config.local").write_text(CONFIG.format(folder=folder) + config, "utf-8")
    for name in ("dvc.yaml", PARAMS, *named):
        if (text := read(name)) is not None:
            target = folder / inside(name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text)


def files(found: Recorded, listing: Callable[[str], bytes]) -> dict[str, str]:
    """{path in the artifact: MD5}; a single file has its own name.

    Args:
        listing: gives the content of the object that lists a folder.

    Raises:
        UserError: nothing is listed at the artifact's path, or a listing is none, or names a file outside of its
            folder or an object otherwise than by an MD5.
    """
    result = {}
    for out, md5 in found.outs.items():
        for path, object_md5 in (_listed(out, listing(md5)) if md5.endswith(".dir") else {out: md5}).items():
            if path == found.path:
                result[path.rpartition("/")[2]] = object_md5
            elif is_within(path, found.path):
                result[path.removeprefix(f"{found.path}/")] = object_md5
    if not result:
        raise UserError(f"{found.path}: no file there by the list of {', '.join(found.outs)}: want a path of files")
    return result


def _listed(out: str, content: bytes) -> dict[str, str]:
    """{path from the project: MD5} by the object that lists a folder."""
    try:
        entries = [(str(entry["relpath"]), str(entry["md5"])) for entry in json.loads(content)]
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(f"{out}: its list of files: {error!r}: want one that DVC wrote") from None
    return {f"{out}/{inside(name)}": _named(md5, f"{out}/{name}") for name, md5 in entries}


def _named(md5: str, where: str, suffix: str = "") -> str:
    """The name of an object, which is no path: 32 digits, and for the list of a folder a suffix."""
    if not MD5.fullmatch(md5.removesuffix(suffix)):
        raise UserError(f"{where}: md5: {md5!r}: want 32 hexadecimal digits, as DVC has them; nothing was read")
    return md5


def intact(md5: str, content: bytes) -> bool:
    """True for the content that an object of this name must have."""
    return artifacts.md5(content) == md5.removesuffix(".dir")


def inside(path: str) -> str:
    """A relative path that stays in its folder.

    Raises:
        UserError: it leads out.
    """
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\0" in path:
        raise UserError(f"{path!r}: leads out of its folder: want a path in it; nothing was written there")
    return str(PurePosixPath(*parts))


def values(content: bytes | None, where: str) -> dict[str, Any]:
    """The values of a YAML file; empty where there is none. `where` names it in errors.

    Raises:
        UserError: it is no YAML.
    """
    from ruamel.yaml import YAML, YAMLError

    try:
        return YAML(typ="safe").load(content or b"") or {}
    except YAMLError as error:
        problem = " ".join(str(error).split())
        raise UserError(f"{where}: not valid YAML: {problem}: want a file that DVC can read") from None
