"""Commands that mend what verify found, in an order that works.

DVC trusts a workspace file of the same size and time, a read-only object of its cache, and any object with the right
name on a remote, whatever their bytes; and it remembers objects that a remote had, even if they are gone. So bad bytes
are removed before DVC is asked, and objects are replaced by `modelmake verify --replace`, for which DVC has no command.
DVC is given stages, not paths: of several paths, it silently skips those that follow a folder (3.67).
"""

import io
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from modelmake import artifacts, git
from modelmake.dvc import graph
from modelmake.dvc.graph import Entry
from modelmake.dvc.stores import Store
from modelmake.verifying import rehash
from modelmake.verifying.findings import Finding
from modelmake.verifying.rehash import Progress
from modelmake.verifying.survey import Survey, join, matches, read_listing

Sources = dict[str, Path | bytes]  # {MD5: a file on this machine with these bytes, or the bytes}
BAD_BYTES = ("corrupt", "truncated", "empty", "unreadable", "unexpected", "changed")  # kinds: something is there
HERE, GIT, PULL, BUILD, LOST = "here", "git", "pull", "build", "lost"  # where an artifact's right bytes come from


@dataclass(frozen=True)
class Plan:
    """Commands, in order, and notes on what a person must decide."""

    commands: list[str]
    notes: list[str]


def sources(root: Path, survey: Survey) -> Sources:
    """The right bytes of every object that has some in the workspace or the cache."""
    result: Sources = {}
    for _, out in survey.outs():
        files = survey.files(out)
        for path, md5 in files.items():
            if matches(survey.workspace.get(path), md5):
                result[md5] = root / path
        if out.md5.endswith(".dir") and files and result.keys() >= set(files.values()):
            result[out.md5] = artifacts.listing(survey.listings[out.path])
    cached = {md5: survey.cache_store.path(md5) for md5, digest in survey.cache.items() if matches(digest, md5)}
    return result | cached


def replaceable(root: Path, survey: Survey) -> list[tuple[Store, str]]:
    """(store, MD5) of objects that are wrong or missing in the cache or on the remote, and right on this machine."""
    good = sources(root, survey)
    return [
        (store, md5)
        for store, digests, outs in survey.stores()
        for md5 in sorted(good.keys() & (survey.objects(outs) | {m for m, d in digests.items() if d is not None}))
        if not matches(digests.get(md5), md5)
    ]


def replace(root: Path, survey: Survey) -> list[str]:
    """Replaces every replaceable object and reads it back into the survey; returns the paths or URLs."""
    good, objects = sources(root, survey), replaceable(root, survey)

    def put(item: tuple[Store, str]) -> None:
        store, md5 = item
        source = good[md5]
        with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as content:
            store.replace(md5, content)

    rehash.in_threads(put, objects)
    for store, digests, _ in survey.stores():
        with Progress("read back", 0) as progress:
            digests |= rehash.objects(store, [md5 for owner, md5 in objects if owner is store], progress)
    return [store.where(md5) for store, md5 in objects]


def plan(root: Path, survey: Survey, findings: list[Finding], default: str | None, folder: Store | None) -> Plan:
    """How to mend all findings.

    If no remote was asked, the one named `default` is: now if it is a `folder`; else it is assumed to have everything
    that is pushed.
    """
    bad_here = {f.artifact for f in findings if f.place == "workspace"}
    good, remote = sources(root, survey), survey.remote_store and survey.remote_store.name
    outs = {out.path: (name, out) for name, out in survey.outs()}
    remedies: dict[str, list[str]] = {remedy: [] for remedy in (HERE, GIT, PULL, BUILD, LOST)}
    for path, (name, out) in outs.items():
        remedies[_remedy(root, survey, name, out, good, path in bad_here, default, folder)].append(path)
    restored, rebuild, notes = _inputs(root, survey, findings)

    def stages(paths: Iterable[str]) -> list[str]:
        return list(dict.fromkeys(outs[path][0] for path in paths))

    replace_objects = f"modelmake verify{f' --remote {shlex.quote(remote)}' if remote else ''} --replace"
    built_on_remote = any(f.place == remote and f.artifact in remedies[BUILD] for f in findings)
    commands = [
        *_removals(survey, findings, good, restored),
        *([replace_objects] if replaceable(root, survey) else []),
        *_command("git checkout HEAD --", [*(path for path in remedies[GIT] if path in bad_here), *restored]),
        *_command("dvc checkout", stages(path for path in remedies[HERE] if path in bad_here)),
        *_command(f"dvc pull{f' -r {shlex.quote(remote)}' if remote else ''}", stages(remedies[PULL])),
        *map(_build, stages(remedies[BUILD])),
        *(["dvc repro"] if rebuild else []),
        *([replace_objects] if built_on_remote else []),
    ]
    unsure = [name for name in stages(remedies[PULL]) if survey.nodes[name].cmd]
    if remote is None and folder is None and unsure:
        builds = "; ".join(map(_build, unsure))
        notes.append(
            f"if the remote lacks objects (`modelmake verify --remote` lists them), build them again: {builds}"
        )
    notes += [f"{path}: no intact copy is known and no stage makes it: restore the original" for path in remedies[LOST]]
    return Plan(commands, notes)


def _build(stage: str) -> str:
    return f"dvc repro -s -f {shlex.quote(stage)}"


def _command(words: str, arguments: list[str]) -> list[str]:
    return [f"{words} {shlex.join(dict.fromkeys(arguments))}"] if arguments else []


def _remedy(
    root: Path, survey: Survey, name: str, out: Entry, good: Sources, bad_here: bool, default: str | None,
    folder: Store | None,
) -> str:  # fmt: skip
    """Where the right bytes of an artifact come from."""
    if not out.cached:
        return HERE if not bad_here else GIT if _is_committed(root, out) else BUILD
    lacking = survey.objects([out]) - good.keys()
    if not lacking:
        return HERE
    if survey.remote_store is not None:
        on_remote = out.path in survey.listings and all(matches(survey.remote.get(md5), md5) for md5 in lacking)
    elif folder is not None:
        on_remote = _has(survey, folder, out, lacking)
    else:
        on_remote = default is not None and out.pushed
    return PULL if on_remote else BUILD if survey.nodes[name].cmd else LOST


def _has(survey: Survey, folder: Store, out: Entry, lacking: set[str]) -> bool:
    """True if a folder has the right bytes of `lacking` objects; of an artifact that was never here, any bytes do."""
    files = read_listing(folder, out.md5) if out.md5.endswith(".dir") else {"": out.md5}
    if files is None:
        return False
    if all(survey.cache.get(md5) is None for md5 in survey.objects([out])):
        return all(folder.path(md5).exists() for md5 in files.values())
    objects = {*files.values()} if out.path not in survey.listings else lacking
    with Progress("remote", out.size) as progress:
        return all(matches(digest, md5) for md5, digest in rehash.objects(folder, objects, progress).items())


def _is_committed(root: Path, entry: Entry) -> bool:
    """True if HEAD has the recorded bytes."""
    files = git.committed(root, entry.path)
    return bool(files) and artifacts.files_md5(files) == entry.md5


def _inputs(root: Path, survey: Survey, findings: list[Finding]) -> tuple[list[str], bool, list[str]]:
    """(files to restore from git, whether to build from the inputs as they are, notes).

    An input that DVC sees as changed was edited, so it is built from. One that DVC does not see as changed would be
    noticed by no build, so it is restored.
    """
    restored, notes = [], []
    rebuild = any(f.place == "dvc.lock" for f in findings)
    inputs = [f for f in findings if f.place == "input"]
    status = graph.stale(root, *dict.fromkeys(f.stage for f in inputs)) if inputs else {}
    for f in inputs:
        reasons = [reason for reason in status.get(f.stage, []) if isinstance(reason, dict)]
        edited = any(f.artifact in reason.get("changed deps", {}) for reason in reasons)
        in_git = _is_committed(root, next(dep for dep in survey.nodes[f.stage].deps if dep.path == f.artifact))
        if in_git and (not edited or f.kind == "missing"):
            restored += [f.path]
        elif f.kind == "missing":
            notes.append(f"{f.path}: no intact copy is known: restore the original")
        elif edited:
            rebuild = True
            if in_git:
                undo = f"`git checkout HEAD -- {shlex.quote(f.path)}` restores it instead"
                notes.append(f"{f.path}: looks edited; {undo}")
        else:
            notes.append(
                f"{f.path}: changed since {f.stage} was built, and DVC does not see it: restore the original, or "
                "`touch` it and `dvc repro` to build from it"
            )
    return list(dict.fromkeys(restored)), rebuild, list(dict.fromkeys(notes))


def _removals(survey: Survey, findings: list[Finding], good: Sources, restored: list[str]) -> list[str]:
    """`rm` commands for bad bytes that DVC or git would trust; in the cache, for those that cannot be replaced here."""
    removed: dict[str, list[str]] = {}
    for f in findings:
        if f.kind not in BAD_BYTES:
            continue
        if f.place == "workspace":
            names = survey.present[f.artifact] or [] if f.path == f.artifact else [""]
            removed.setdefault(f.artifact, []).extend(join(f.path, name) for name in names)
        elif (f.place == "cache" and f.wanted not in good) or (f.place == "input" and f.path in restored):
            removed.setdefault(f.artifact, []).append(f.path)
    return [f"rm -f {shlex.join(paths)}" for paths in removed.values()]
