"""The files of a release: which outputs of a commit's build they are, and what those were made of.

Only bytes count: a file is an output if it has the MD5 that dvc.lock records, whatever its name. What is named by
SHA-256 is read, from git, else from the DVC cache, else from the workspace, and has the recorded MD5.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelmake import artifacts, git
from modelmake.blaming import revisions
from modelmake.blaming.revisions import Revision
from modelmake.errors import UserError
from modelmake.receipts import digests
from modelmake.receipts.digests import Digest
from modelmake.receipts.signing import SIGNATURE
from modelmake.tracing.history import LOCK, History
from modelmake.tracing.lineage import Lineage
from modelmake.tracing.lock_entries import LockedStage

OWN = ("provenance.intoto.json", "mlbom.cdx.json", SIGNATURE)  # receipts and signature, which receipts do not name
IN_GIT = ("dvc.yaml", LOCK, "params.yaml", "uv.lock", ".python-version")  # what decides a build, as far as there is one
MAX_NAMED = 5


@dataclass(frozen=True)
class Released:
    """The files of a release, and the chain of stages behind them."""

    root: Path  # of the project
    folder: Path
    revision: Revision
    timestamp: int  # of the commit, Unix seconds
    files: dict[str, Digest]  # by path in the folder
    recorded: dict[str, str]  # {path in the folder: path in the project}
    outputs: dict[str, str]  # {output of a stage that files are, or are from: its MD5 as in dvc.lock}
    chain: list[LockedStage]  # makers first
    inputs: dict[str, dict[str, Digest]]  # {path that no stage makes: {file in it, "" of a file: digest}}
    in_git: dict[str, Digest]  # IN_GIT, and keys of the chain
    reports: dict[str, Digest]  # {output in git, as metrics are: digest}
    packages: dict[str, str]  # {name: version} that the chain reached

    @property
    def params(self) -> dict[str, Any]:
        """{dotted name: value} of every parameter that a stage of the commit's build declares."""
        return {name: value for stage in self.revision.stages.values() for name, value in stage.params.items()}


def read(root: Path, folder: Path, revision: str, suffixes: frozenset[str]) -> Released:
    """The files of a folder as outputs of the build that a commit records.

    Args:
        suffixes: of the files of models.

    Raises:
        UserError: a file is of another build or of none, or what the receipt names is not here.
    """
    history, found = History(root), revisions.read(root, revision)
    (build,) = git.hashes(root, [found.commit], LOCK)
    files = {name: digest for name, digest in digests.of_folder(folder).items() if name not in OWN}
    if not files:
        raise UserError(f"{folder}: receipts alone: want the files of a release beside them")
    recorded, outputs = _recorded(root, folder, files, found, build, history)
    known = [stage for stage in history.builds[build] if stage.name in found.stages]
    history.builds[build] = sorted(known, key=lambda stage: stage.name)  # the index numbers them as it met them
    lineage = Lineage(history, suffixes)
    makers = [stage for stage in history.builds[build] if outputs.items() & stage.outs.items()]
    pairs = {stage.number: (of, stage) for maker in makers for of, stage in lineage.chain(build, maker)}.values()
    chain = [stage for _, stage in pairs]
    raw = {
        (link.path, link.md5): link.lost for of, stage in pairs for link in lineage.links(of, stage) if not link.makers
    }
    inputs, absent = {}, []
    for (path, md5), lost in sorted(raw.items()):
        contents = None if lost else _input(root, found, path, md5, history)
        inputs |= {} if contents is None else {path: contents}
        absent += [f"{path}: {lost or 'its bytes are not here'}"] if contents is None else []
    keys = {stage.key_file: stage.deps[stage.key_file] for stage in chain if stage.key_file in stage.deps}
    in_git, missing = _in_git(root, found, keys)
    if problems := absent + missing:
        raise UserError(
            f"{'; '.join(problems)}: want what the files were made of, which a receipt names by SHA-256; run "
            "`dvc pull`, or make the receipt where the build was made"
        )
    return Released(
        root=root, folder=folder, revision=found, timestamp=git.timestamp(root, found.commit), files=files,
        recorded=recorded, outputs=outputs, chain=chain, inputs=inputs, in_git=in_git,
        reports=_reports(root, found), packages=_packages(root, found, keys),
    )  # fmt: skip


def _recorded(
    root: Path, folder: Path, files: dict[str, Digest], revision: Revision, build: str, history: History
) -> tuple[dict[str, str], dict[str, str]]:
    """({file: its path in the project}, {output: MD5}): the fewest outputs that the files can be of."""
    if build not in history.builds:
        raise UserError(f"{revision.name}: its {LOCK} cannot be read: want the commit of a build")
    of_md5: dict[str, list[tuple[str, str]]] = {}  # {MD5: (output, path of the file)}
    outs = {path: md5 for stage in revision.stages.values() for path, md5 in stage.outs.items()}
    for out, md5 in outs.items():
        members = history.members.get(md5, {}) if md5.endswith(".dir") else {"": md5}
        for inner, member in members.items():
            of_md5.setdefault(member, []).append((out, f"{out}/{inner}".rstrip("/")))
    unknown = {name: digest for name, digest in files.items() if digest.md5 not in of_md5}
    from_git = [name for name in unknown if revision.file(root, name) == (folder / name).read_bytes()]
    recorded = dict.fromkeys(from_git, "")
    if strange := {name: digest for name, digest in unknown.items() if name not in recorded}:
        lines = [f"{folder / name}: {_elsewhere(digest, revision, history)}" for name, digest in strange.items()]
        unlisted = [out for out, md5 in outs.items() if md5.endswith(".dir") and md5 not in history.members]
        more = [f"and {len(lines) - MAX_NAMED} more"] if lines[MAX_NAMED:] else []
        more += [f"not known here: the files of {', '.join(unlisted)}; `dvc pull` brings them"] if unlisted else []
        raise UserError("\n".join([*lines[:MAX_NAMED], *more]))
    left, outputs = {name: digest for name, digest in files.items() if name not in recorded}, {}
    while left:
        covered: dict[str, int] = {}
        for digest in left.values():
            for out in {out for out, _ in of_md5[digest.md5]}:
                covered[out] = covered.get(out, 0) + digest.size + 1  # an empty file counts too
        best = max(sorted(covered), key=covered.__getitem__)
        outputs[best] = outs[best]
        for name, digest in list(left.items()):
            paths = sorted(path for out, path in of_md5[digest.md5] if out == best)
            if paths:
                same = [path for path in paths if f"/{path}".endswith(f"/{name}")]
                recorded[name] = (same or paths)[0]
                del left[name]
    if not outputs:
        raise UserError(f"{folder}: files of git alone: want a model, or another output of the build, among them")
    return {name: recorded[name] or name for name in files}, dict(sorted(outputs.items()))


def _elsewhere(digest: Digest, revision: Revision, history: History) -> str:
    others = [stage for stage, _, _ in history.outputs_with(digest.md5)]
    commits = history.commits_of(build for stage in others for build in history.builds_with(stage))
    if commits:
        return f"of the build of commit {commits[0].sha[:10]}, not of {revision.short}: want files of one build"
    return (
        f"md5 {digest.md5}: not in the build of {revision.short}, and no such file there: want files of the build; "
        "`modelmake verify` says what it is nearest to"
    )


def _input(root: Path, revision: Revision, path: str, md5: str, history: History) -> dict[str, Digest] | None:
    """{file: digest} of an input with this MD5, sorted; None where its bytes are nowhere here."""
    blobs = git.blobs(root, revision.commit, path)
    contents = git.contents(root, (blob.sha for blob in blobs.values()))
    committed = {name: digests.of(content or b"") for name, content in zip(blobs, contents, strict=True)}
    if _is(committed, md5):
        return dict(sorted(committed.items()))
    listing = history.read(md5) if md5.endswith(".dir") else None
    members = {entry["relpath"]: entry["md5"] for entry in json.loads(listing)} if listing else {"": md5}
    if all(history.object(member).is_file() for member in members.values()):
        cached = {name: digests.of_file(history.object(member)) for name, member in members.items()}
        if _is(cached, md5):
            return dict(sorted(cached.items()))
    place = root / path
    if place.exists() and artifacts.measure(place).md5 == md5:
        if place.is_file():
            return {"": digests.of_file(place)}
        files = {file.relative_to(place).as_posix(): file for file in place.rglob("*") if file.is_file()}
        return {name: digests.of_file(file) for name, file in sorted(files.items())}
    return None


def _is(found: dict[str, Digest], md5: str) -> bool:
    return bool(found) and artifacts.files_md5({name: digest.md5 for name, digest in found.items()}) == md5


def _in_git(root: Path, revision: Revision, keys: dict[str, str]) -> tuple[dict[str, Digest], list[str]]:
    """({path: digest}, what is not as dvc.lock records it)."""
    found, problems = {}, []
    for path, content in _contents(root, revision, [*IN_GIT, *sorted(keys)]).items():
        if content is not None and artifacts.md5(content) == keys.get(path, artifacts.md5(content)):
            found[path] = digests.of(content)
        elif path in keys:
            problems.append(f"{path}: not in commit {revision.short} as dvc.lock records it")
    return found, problems


def _reports(root: Path, revision: Revision) -> dict[str, Digest]:
    """Outputs that are files in git, with the recorded bytes."""
    outs = {path: md5 for stage in revision.stages.values() for path, md5 in stage.outs.items()}
    outs = {path: md5 for path, md5 in outs.items() if not md5.endswith(".dir")}
    contents = _contents(root, revision, sorted(outs))
    return {path: digests.of(content) for path, content in contents.items()
            if content is not None and artifacts.md5(content) == outs[path]}  # fmt: skip


def _packages(root: Path, revision: Revision, keys: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for content in _contents(root, revision, sorted(keys)).values():
        found |= json.loads(content or b"{}").get("packages", {})
    return dict(sorted(found.items()))


def _contents(root: Path, revision: Revision, paths: list[str]) -> dict[str, bytes | None]:
    names = [f"{revision.commit}:./{path}" for path in paths]
    return dict(zip(paths, git.contents(root, names), strict=True))
