"""How to mend what verify found: commands that work, in their order.

DVC trusts a workspace file of the same size and time, a read-only object of its cache, and any object of that name on
a remote, whatever is in them; of a remote it also remembers objects that are gone. So bad bytes are removed before DVC
is asked, and objects are put right by `modelmake verify --replace`, for which DVC has no command. DVC is given stages,
not paths: of several paths, it leaves out in silence those that follow a folder (3.67).
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
from modelmake.verifying.survey import Survey, join, listed, right

Sources = dict[str, Path | bytes]  # {MD5: where its right bytes are on this machine}
IN_THE_WAY = ("corrupt", "truncated", "empty", "unreadable", "unexpected", "changed")


@dataclass(frozen=True)
class Plan:
    """What to do, in this order; and what a person must decide."""

    commands: list[str]
    notes: list[str]


def sources(root: Path, survey: Survey) -> Sources:
    """Of all objects of the survey of which there are any."""
    found: Sources = {}
    for _, out in survey.outs():
        for path, md5 in survey.files(out).items():
            if right(survey.workspace.get(path), md5):
                found[md5] = root / path
        files = survey.files(out)
        if out.md5.endswith(".dir") and files and found.keys() >= set(files.values()):
            found[out.md5] = artifacts.listing(survey.listings[out.path])
    return found | {md5: survey.cache_store.path(md5) for md5, digest in survey.cache.items() if right(digest, md5)}


def replaceable(root: Path, survey: Survey) -> list[tuple[Store, str]]:
    """The objects that are wrong or missing in the cache and on the remote, and right somewhere on this machine."""
    good = sources(root, survey)
    return [
        (store, md5)
        for store, read, outs in survey.copies()
        for md5 in sorted(good.keys() & (_objects(survey, outs) | {m for m, d in read.items() if d is not None}))
        if not right(read.get(md5), md5)
    ]


def replace(root: Path, survey: Survey) -> list[str]:
    """Puts the right bytes in the place of all that is replaceable and reads them back into the survey.

    Returns the paths or URLs of what was replaced.
    """
    good, wanted = sources(root, survey), replaceable(root, survey)

    def put(item: tuple[Store, str]) -> None:
        store, md5 = item
        source = good[md5]
        with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as content:
            store.replace(md5, content)

    rehash.together(put, wanted)
    for store, read, _ in survey.copies():
        with Progress("read back", 0) as progress:
            read |= rehash.objects(store, [md5 for there, md5 in wanted if there is store], progress)
    return [store.where(md5) for store, md5 in wanted]


def plan(root: Path, survey: Survey, found: list[Finding], default: str | None, folder: Store | None) -> Plan:
    """How to mend all of `found`.

    Where no remote was asked, the default one is now, if it is a `folder`; else it is taken to have what is pushed.
    """
    wrong_here = {f.artifact for f in found if f.place == "workspace"}
    good, remote = sources(root, survey), survey.remote_store and survey.remote_store.name
    outs = {out.path: (name, out) for name, out in survey.outs()}
    remedies: dict[str, list[str]] = {"here": [], "git": [], "pull": [], "build": [], "lost": []}
    for path, (name, out) in outs.items():
        remedies[_remedy(root, survey, name, out, good, path in wrong_here, default, folder)].append(path)
    restored, repro, notes = _inputs(root, survey, found)

    def stages(paths: Iterable[str]) -> list[str]:
        return list(dict.fromkeys(outs[path][0] for path in paths))

    built = [f"dvc repro -s -f {shlex.quote(name)}" for name in stages(remedies["build"])]
    replacing = f"modelmake verify{f' --remote {shlex.quote(remote)}' if remote else ''} --replace"
    commands = [
        *_removals(survey, found, good, restored),
        *([replacing] if replaceable(root, survey) else []),
        *_command("git checkout HEAD --", [*(path for path in remedies["git"] if path in wrong_here), *restored]),
        *_command("dvc checkout", stages(path for path in remedies["here"] if path in wrong_here)),
        *_command(f"dvc pull{f' -r {shlex.quote(remote)}' if remote else ''}", stages(remedies["pull"])),
        *built,
        *(["dvc repro"] if repro else []),
        *([replacing] if any(f.place == remote and f.artifact in remedies["build"] for f in found) else []),
    ]
    if (
        remote is None
        and folder is None
        and (unsure := [name for name in stages(remedies["pull"]) if survey.nodes[name].cmd])
    ):
        built = "; ".join(f"dvc repro -s -f {shlex.quote(name)}" for name in unsure)
        notes.append(f"what no remote has (`modelmake verify --remote` tells) must be built again: {built}")
    notes += [
        f"{path}: no right copy is known, no stage makes it: bring the original back" for path in remedies["lost"]
    ]
    return Plan(commands, notes)


def _objects(survey: Survey, outs: Iterable[Entry]) -> set[str]:
    return {md5 for out in outs for md5 in (out.md5, *survey.files(out).values())}


def _remedy(
    root: Path, survey: Survey, name: str, out: Entry, good: Sources, wrong_here: bool, default: str | None,
    folder: Store | None,
) -> str:  # fmt: skip
    """Where an artifact's right bytes come from: here, git, pull, build, or nowhere (lost)."""
    if not out.cached:
        return "here" if not wrong_here else "git" if _committed(root, out) else "build"
    lacking = _objects(survey, [out]) - good.keys()
    if not lacking:
        return "here"
    if survey.remote_store is None and folder is None:
        there = default is not None and out.pushed
    elif survey.remote_store is None:
        there = _has(survey, folder, out, lacking)
    else:
        there = out.path in survey.listings and all(right(survey.remote.get(md5), md5) for md5 in lacking)
    return "pull" if there else "build" if survey.nodes[name].cmd else "lost"


def _has(survey: Survey, folder: Store, out: Entry, lacking: set[str]) -> bool:
    """Whether a folder has right bytes of what is lacking here; of an artifact that was never here, any bytes."""
    files = listed(folder, out.md5) if out.md5.endswith(".dir") else {"": out.md5}
    if files is None:
        return False
    if all(survey.cache.get(md5) is None for md5 in _objects(survey, [out])):
        return all(folder.path(md5).exists() for md5 in files.values())
    wanted = {*files.values()} if out.path not in survey.listings else lacking
    with Progress("remote", out.size) as progress:
        return all(right(digest, md5) for md5, digest in rehash.objects(folder, wanted, progress).items())


def _committed(root: Path, entry: Entry) -> bool:
    """Whether HEAD has the recorded bytes."""
    files = git.committed(root, entry.path)
    return bool(files) and (artifacts.files_md5(files)) == entry.md5


def _inputs(root: Path, survey: Survey, found: list[Finding]) -> tuple[list[str], bool, list[str]]:
    """Files to take from git, whether to build with what is there now, and what to tell.

    An input that DVC itself sees to differ was edited, and a build is what is wanted. One that it does not see
    differs behind its back: no build would notice.
    """
    restored, notes = [], []
    repro = any(f.place == "dvc.lock" for f in found)
    wrong = [f for f in found if f.place == "input"]
    status = graph.stale(root, *dict.fromkeys(f.stage for f in wrong)) if wrong else {}
    for f in wrong:
        told = [why for why in status.get(f.stage, []) if isinstance(why, dict)]
        seen = any(f.artifact in why.get("changed deps", {}) for why in told)
        in_git = _committed(root, next(dep for dep in survey.nodes[f.stage].deps if dep.path == f.artifact))
        if in_git and (not seen or f.kind == "missing"):
            restored += [f.path]
        elif f.kind == "missing":
            notes.append(f"{f.path}: no right copy is known: bring the original back")
        elif seen:
            repro = True
            if in_git:
                put_back = f"`git checkout HEAD -- {shlex.quote(f.path)}` puts it back instead"
                notes.append(f"{f.path}: looks edited; {put_back}")
        else:
            notes.append(
                f"{f.path}: not what {f.stage} was built from, and DVC does not see it: bring the original back, or "
                "`touch` it and `dvc repro` to build from what is there"
            )
    return list(dict.fromkeys(restored)), repro, list(dict.fromkeys(notes))


def _removals(survey: Survey, found: list[Finding], good: Sources, restored: list[str]) -> list[str]:
    """Bytes that DVC or git would trust; of the cache, those that nothing here can replace."""
    removed: dict[str, list[str]] = {}
    for f in found:
        if f.kind not in IN_THE_WAY:
            continue
        if f.place == "workspace":
            names = survey.here[f.artifact] or [] if f.path == f.artifact else [""]
            removed.setdefault(f.artifact, []).extend(join(f.path, name) for name in names)
        elif (f.place == "cache" and f.wanted not in good) or (f.place == "input" and f.path in restored):
            removed.setdefault(f.artifact, []).append(f.path)
    return [f"rm -f {shlex.join(paths)}" for paths in removed.values()]


def _command(words: str, paths: list[str]) -> list[str]:
    return [f"{words} {shlex.join(dict.fromkeys(paths))}"] if paths else []
