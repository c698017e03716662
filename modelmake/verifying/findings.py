"""Differences between what a survey read and what dvc.lock records."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from modelmake import artifacts, git
from modelmake.dvc.graph import Entry
from modelmake.verifying.rehash import Digest
from modelmake.verifying.survey import Listing, Survey, is_within, join, matches

EMPTY = "d41d8cd98f00b204e9800998ecf8427e"  # MD5 of no bytes


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong."""

    place: str  # workspace, cache, the remote's name, input or dvc.lock
    path: str  # of the file, object or artifact; from the root, or a URL
    kind: str  # missing, empty, truncated, corrupt, unreadable, unexpected, changed or "not built"
    stage: str  # that makes the artifact or reads the input, as DVC addresses it
    artifact: str  # the path that dvc.yaml declares
    found: str = ""
    wanted: str = ""  # MD5
    of: tuple[str, ...] = ()  # of an object: the paths of the files with its bytes

    def __str__(self) -> str:
        found = f": found {self.found}" if self.found else ""
        wanted = f": want md5 {self.wanted}" if self.wanted else ""
        of = f" ({', '.join(self.of)})" if self.of else ""
        return f"{self.place}: {self.path}: {self.kind}{found}{wanted}{of}"


def findings(root: Path, survey: Survey) -> list[Finding]:
    """Everything that is wrong: outdated records, inputs, workspace, cache, remote; each file and object once."""
    distinct: dict[tuple[str, ...], Finding] = {}
    for finding in (*_records(root, survey), *_workspace(survey), *_objects(survey)):
        distinct.setdefault((finding.place, finding.path, finding.kind, finding.found), finding)
    return list(distinct.values())


def _records(root: Path, survey: Survey) -> Iterator[Finding]:
    """Stages and inputs that are no longer as dvc.lock records them."""
    for name, node in survey.selected.items():
        for change in node.changed:
            yield Finding("dvc.lock", name, "changed", name, "", change)
        for out in node.outs:
            if not out.md5:
                yield Finding("dvc.lock", out.path, "not built", name, out.path)
        for dep in node.deps:
            if dep.md5:
                yield from _input(root, survey, name, dep)


def _input(root: Path, survey: Survey, name: str, dep: Entry) -> Iterator[Finding]:
    outs = [out for node in survey.nodes.values() for out in node.outs]
    if maker := next((out for out in outs if is_within(dep.path, out.path)), None):
        now = _recorded_md5(survey, maker, dep.path)
        if now and now != dep.md5:
            yield Finding("dvc.lock", dep.path, "changed", name, dep.path, f"md5 {now} in its own record", dep.md5)
        return
    parts = [out for out in outs if is_within(out.path, dep.path)]
    if any(survey.workspace_md5(out.path) != out.md5 for out in parts):
        return  # artifacts in it are reported themselves, or were not read
    now = survey.workspace_md5(dep.path)
    if now == dep.md5:
        return
    committed = git.committed(root, dep.path)
    if survey.present[dep.path] is not None and artifacts.files_md5(committed) == dep.md5:
        yield from _files(survey, "input", name, dep, committed)  # git says which files differ
    else:
        kind = "missing" if survey.present[dep.path] is None else "changed" if now else "unreadable"
        yield Finding("input", dep.path, kind, name, dep.path, f"md5 {now}" if now else "", dep.md5)


def _recorded_md5(survey: Survey, out: Entry, path: str) -> str:
    """The recorded MD5 of an artifact, or of a file or folder in it; empty if the artifact's files are not known."""
    if path == out.path:
        return out.md5
    listing, inner = survey.listings.get(out.path), path[len(out.path) + 1 :]
    if listing is None:
        return ""
    below = {name[len(inner) + 1 :]: md5 for name, md5 in listing.items() if name.startswith(f"{inner}/")}
    return listing.get(inner) or artifacts.folder_md5(below)


def _workspace(survey: Survey) -> Iterator[Finding]:
    for name, out in survey.outs():
        if survey.present[out.path] is None:
            yield Finding("workspace", out.path, "missing", name, out.path, wanted=out.md5)
        elif out.path not in survey.listings:
            now = survey.workspace_md5(out.path)
            yield Finding("workspace", out.path, "corrupt", name, out.path, now and f"md5 {now}", out.md5)
        else:
            yield from _files(survey, "workspace", name, out, survey.listings[out.path])


def _files(survey: Survey, place: str, name: str, entry: Entry, files: Listing) -> Iterator[Finding]:
    """The files of an artifact or input that differ from `files` ({relative path: MD5})."""
    sizes = _sizes(survey)
    for file, md5 in files.items():
        path = join(entry.path, file)
        digest = survey.workspace.get(path)
        if not matches(digest, md5):
            kind = _kind(digest, md5, sizes.get(md5, 0 if file else entry.size))
            if place == "input" and kind in ("corrupt", "truncated"):
                kind = "changed"  # it may have been edited
            yield Finding(place, path, kind, name, entry.path, _description(digest), md5)
    for file in sorted(set(survey.present[entry.path] or []) - set(files)):
        path = join(entry.path, file)
        yield Finding(place, path, "unexpected", name, entry.path, _description(survey.workspace[path]))


def _objects(survey: Survey) -> Iterator[Finding]:
    """One finding for each object, however many artifacts share it; one for each artifact without any object."""
    paths, sizes, reported = survey.paths_by_md5(), _sizes(survey), set()
    for store, digests, outs in survey.stores():
        for stage, out in survey.outs():
            md5s = survey.objects([out])
            if out in outs and all(digests.get(md5) is None for md5 in md5s):
                yield Finding(store.name, out.path, "missing", stage, out.path, wanted=out.md5)
                continue
            for md5 in sorted(md5s):
                digest = digests.get(md5)
                needed = out in outs or digest is not None  # the run-cache keeps objects that the cache need not have
                if needed and not matches(digest, md5) and (store, md5) not in reported:
                    reported.add((store, md5))
                    kind, of = _kind(digest, md5, sizes.get(md5, 0)), tuple(paths.get(md5, ()))
                    found = _description(digest)
                    yield Finding(store.name, store.where(md5), kind, stage, out.path, found, md5, of)


def _sizes(survey: Survey) -> dict[str, int]:
    """{MD5: bytes} of everything that was read, and of artifacts that are files as recorded."""
    sizes = {out.md5: out.size for _, out in survey.outs() if not out.md5.endswith(".dir")}
    for digests in (survey.workspace, survey.cache, survey.remote):
        sizes |= {digest.md5: digest.size for digest in digests.values() if digest is not None}
    return sizes


def _kind(digest: Digest | None, md5: str, size: int) -> str:
    if digest is None:
        return "missing"
    if digest.error:
        return "unreadable"
    if digest.size == 0 and md5 != EMPTY:
        return "empty"
    return "truncated" if digest.size < size else "corrupt"


def _description(digest: Digest | None) -> str:
    if digest is None:
        return ""
    return digest.error or f"{digest.size:,} bytes, md5 {digest.md5}"
