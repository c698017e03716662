"""What of a survey is not what dvc.lock says."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from modelmake import artifacts, git
from modelmake.dvc.graph import Entry
from modelmake.verifying.rehash import Digest
from modelmake.verifying.survey import Survey, join, right, within

EMPTY = "d41d8cd98f00b204e9800998ecf8427e"  # MD5 of no bytes


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong."""

    place: str  # workspace, cache, the remote's name, input or dvc.lock
    path: str  # of the file, the object or the artifact; from the root, or a URL
    kind: str  # missing, empty, truncated, corrupt, unreadable, unexpected, changed or "not built"
    stage: str  # whose artifact or input it is, as DVC addresses it
    artifact: str  # the path that dvc.yaml declares
    found: str = ""
    wanted: str = ""  # MD5
    of: tuple[str, ...] = ()  # of an object: the paths that have its bytes

    def __str__(self) -> str:
        found = f": found {self.found}" if self.found else ""
        wanted = f": want md5 {self.wanted}" if self.wanted else ""
        of = f" ({', '.join(self.of)})" if self.of else ""
        return f"{self.place}: {self.path}: {self.kind}{found}{wanted}{of}"


def findings(root: Path, survey: Survey) -> list[Finding]:
    """All that is wrong: outdated records, inputs, workspace, cache, remote."""
    told = [*_records(root, survey), *_workspace(survey), *_objects(survey)]
    return list({(f.place, f.path, f.kind, f.found): f for f in reversed(told)}.values())[::-1]  # the first that tells


def _records(root: Path, survey: Survey) -> Iterator[Finding]:
    """What was recorded of stages and inputs, against what they are now."""
    for name, node in survey.chosen.items():
        for what in node.changed:
            yield Finding("dvc.lock", name, "changed", name, "", what)
        for out in node.outs:
            if not out.md5:
                yield Finding("dvc.lock", out.path, "not built", name, out.path)
        for dep in node.deps:
            if dep.md5:
                yield from _input(root, survey, name, dep)


def _input(root: Path, survey: Survey, name: str, dep: Entry) -> Iterator[Finding]:
    made = [out for node in survey.nodes.values() for out in node.outs]
    if outer := next((out for out in made if within(dep.path, out.path)), None):
        now = _of_artifact(survey, outer, dep.path)
        if now and now != dep.md5:
            yield Finding("dvc.lock", dep.path, "changed", name, dep.path, f"md5 {now} in its own record", dep.md5)
        return
    parts = [out for out in made if within(out.path, dep.path)]
    if any(survey.folder(out.path) != out.md5 for out in parts):
        return  # told of the artifacts in it, or not looked at
    now = survey.folder(dep.path)
    if now == dep.md5:
        return
    files = git.committed(root, dep.path)
    as_committed = artifacts.files_md5(files)
    if survey.here[dep.path] is not None and as_committed == dep.md5:  # then we can say which files differ
        yield from _compared(survey, "input", name, dep, files)
    else:
        kind = "missing" if survey.here[dep.path] is None else "changed" if now else "unreadable"
        yield Finding("input", dep.path, kind, name, dep.path, f"md5 {now}" if now else "", dep.md5)


def _of_artifact(survey: Survey, out: Entry, path: str) -> str:
    """The MD5 of an artifact, or of a file or folder in it, as recorded; empty where the list is not known."""
    if path == out.path:
        return out.md5
    listing, inner = survey.listings.get(out.path), path[len(out.path) + 1 :]
    if listing is None:
        return ""
    below = {name[len(inner) + 1 :]: md5 for name, md5 in listing.items() if name.startswith(f"{inner}/")}
    return listing.get(inner) or artifacts.folder_md5(below)


def _workspace(survey: Survey) -> Iterator[Finding]:
    for name, out in survey.outs():
        if survey.here[out.path] is None:
            yield Finding("workspace", out.path, "missing", name, out.path, wanted=out.md5)
        elif out.path not in survey.listings:
            now = survey.folder(out.path)
            yield Finding("workspace", out.path, "corrupt", name, out.path, now and f"md5 {now}", out.md5)
        else:
            yield from _compared(survey, "workspace", name, out, survey.listings[out.path])


def _compared(survey: Survey, place: str, name: str, entry: Entry, files: dict[str, str]) -> Iterator[Finding]:
    """The files of an artifact or input that are not those that it should have."""
    sizes = _sizes(survey)
    for file, md5 in files.items():
        path = join(entry.path, file)
        digest = survey.workspace.get(path)
        if not right(digest, md5):
            kind = _kind(digest, md5, sizes.get(md5, 0 if file else entry.size))
            if place == "input" and kind in ("corrupt", "truncated"):
                kind = "changed"  # it may have been edited
            yield Finding(place, path, kind, name, entry.path, _told(digest), md5)
    for file in sorted(set(survey.here[entry.path] or []) - set(files)):
        path = join(entry.path, file)
        yield Finding(place, path, "unexpected", name, entry.path, _told(survey.workspace[path]))


def _objects(survey: Survey) -> Iterator[Finding]:
    """One finding an object, however many artifacts share it; one an artifact that is not there at all."""
    named, sizes, told = survey.named(), _sizes(survey), set()
    makers = {out.path: name for name, out in survey.outs()}
    for store, objects, outs in survey.copies():
        for _, out in survey.outs():
            md5s = {out.md5, *survey.files(out).values()}
            if out in outs and all(objects.get(md5) is None for md5 in md5s):
                yield Finding(store.name, out.path, "missing", makers[out.path], out.path, wanted=out.md5)
                continue
            for md5 in sorted(md5s):
                digest = objects.get(md5)
                needed = out in outs or digest is not None  # the run-cache keeps what DVC's cache otherwise does not
                if needed and not right(digest, md5) and (store, md5) not in told:
                    told.add((store, md5))
                    kind, of = _kind(digest, md5, sizes.get(md5, 0)), tuple(named.get(md5, ()))
                    yield Finding(
                        store.name, store.where(md5), kind, makers[out.path], out.path, _told(digest), md5, of
                    )


def _sizes(survey: Survey) -> dict[str, int]:
    """{MD5: bytes}, of all that was read anywhere, and as recorded of artifacts that are files."""
    found = {out.md5: out.size for _, out in survey.outs() if not out.md5.endswith(".dir")}
    for read in (survey.workspace, survey.cache, survey.remote):
        found |= {digest.md5: digest.size for digest in read.values() if digest is not None}
    return found


def _kind(digest: Digest | None, md5: str, size: int) -> str:
    if digest is None:
        return "missing"
    if digest.error:
        return "unreadable"
    if digest.size == 0 and md5 != EMPTY:
        return "empty"
    return "truncated" if digest.size < size else "corrupt"


def _told(digest: Digest | None) -> str:
    if digest is None:
        return ""
    return digest.error or f"{digest.size:,} bytes, md5 {digest.md5}"
