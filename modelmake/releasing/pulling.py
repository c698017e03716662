"""`modelmake release pull`: a version of somebody's project in a folder, byte for byte, without a clone.

What is moved: the names of tags, two commits with the names of their files, the files that say what the release is, and
the objects that the folder does not have. A pull that is killed leaves what came in `.DIR.pull` beside the folder; the
next one goes on there.
"""

import os
import shutil
from pathlib import Path

from modelmake.dvc.stores import Store
from modelmake.errors import UserError
from modelmake.releasing import contents, download, tags
from modelmake.releasing.placing import Place
from modelmake.releasing.tags import Artifact, Tag
from modelmake.releasing.upstream import RELEASE, Upstream
from modelmake.running import locks
from modelmake.verifying.rehash import Progress

GIT, PROJECT, OBJECTS, LOCK = "git", "project", "objects", "lock"  # in the folder in which a pull works


def pull(release: str, source: str, here: Path, folder: str | None) -> list[str]:
    """Brings `NAME@STAGE` or `NAME@VERSION` from a repository to a folder; returns what was done.

    Args:
        here: in which relative paths start.
        folder: the last part of the artifact's name if not given.

    Raises:
        UserError: there is no such release, its bytes cannot be had, or the folder has other files.
    """
    name, _, what = release.rpartition("@")
    if not tags.NAME.fullmatch(name) or not what:
        raise UserError(f"release: {release!r}: want NAME@STAGE or NAME@VERSION: model@prod, model@v1.2.0")
    if os.path.exists(here / source):
        source = str((here / source).resolve())
    place = Place((here / (folder or name.rpartition(":")[2].rpartition("/")[2])).resolve())  # of a link its target

    def busy(process: str) -> None:
        raise UserError(f"{place.folder}: process {process} pulls to it: want one at a time; wait for it")

    handle = locks.acquire(place.work / LOCK, busy)
    try:
        return _pull(name, what, Upstream(source, place.work / GIT), place)
    finally:
        locks.release(place.work / LOCK, handle)


def _pull(name: str, what: str, upstream: Upstream, place: Place) -> list[str]:
    place.recover()
    artifact, has_head = upstream.tags(name)
    version, tag = chosen(artifact, what, upstream.address)
    names, last = place.names(), place.record()
    words = f"{name} {version}{f' ({what})' if what != version else ''}, commit {tag.commit[:10]}"
    is_last = last.get("commit") == tag.commit and last["artifact"] == name
    if is_last and names == last["files"].keys() and place.present(names) == last["files"]:
        return [f"{words}: {place.folder} has it, rehashed: {len(names)} files; nothing was moved"]
    upstream.fetch(tag, has_head)
    shutil.rmtree(place.work / PROJECT, ignore_errors=True)
    above = name.rpartition(":")[0]
    folder = f"{above}/" if above else ""
    store = upstream.store(place.work / PROJECT, folder, has_head)
    found = contents.recorded(name, upstream.read(RELEASE, folder))
    objects = place.work / OBJECTS
    objects.mkdir(exist_ok=True)
    with Progress(f"pulled {name}", found.size) as progress:
        moved, wanted = _listed(found, store, objects, progress)
        present = place.checked(wanted)
        lacking = sorted({*wanted.values()} - {*present.values()})
        moved += download.fetch(store, lacking, objects, progress)
    place.put(wanted, present, objects, {
        "artifact": name, "version": version, "commit": tag.commit, "from": upstream.address, "files": wanted
    })  # fmt: skip
    for folder_name in (GIT, PROJECT, OBJECTS):
        shutil.rmtree(place.work / folder_name, ignore_errors=True)
    return [f"{words}: {place.folder}: {len(wanted)} files, each with the MD5 that dvc.lock leads to; "
            f"{moved:,} bytes of objects moved"]  # fmt: skip


def _listed(found: contents.Recorded, store: Store, objects: Path, progress: Progress) -> tuple[int, dict[str, str]]:
    """(bytes moved, {path in the release: MD5}) by the lists of its folders."""
    moved = 0

    def listing(md5: str) -> bytes:
        nonlocal moved
        moved += download.fetch_one(store, md5, objects / md5, progress)
        return (objects / md5).read_bytes()

    files = contents.files(found, listing)
    return moved, files


def chosen(artifact: Artifact, what: str, address: str) -> tuple[str, Tag]:
    """(version, the tag that registered it) of a version or of what a stage holds.

    Raises:
        UserError: there is none, or what the stage holds is withdrawn: nothing else is given in its place.
    """
    if not artifact.versions:
        raise UserError(f"{address}: no tag {tags.version_tag(artifact.name, 'v…')}: want a name that was released")
    if what in artifact.versions:
        return what, artifact.versions[what]
    if what not in artifact.stages:
        known = ", ".join([*artifact.stages, *artifact.versions])
        raise UserError(f"{address}: {artifact.name} has no {what}: want one of {known}")
    current = artifact.current(what)
    if current is None:
        raise UserError(f"{address}: {artifact.name}: nothing is in {what} now: want another stage, or a version")
    if current.version in artifact.withdrawn:
        raise UserError(
            f"{address}: {artifact.name}: {what} holds {current.version}, which is withdrawn: want a rollback there; "
            f"{artifact.name}@{current.version} still brings it"
        )
    return current.version, artifact.versions[current.version]
