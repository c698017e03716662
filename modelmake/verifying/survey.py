"""Every declared artifact as it is: in the workspace, in DVC's cache and on a remote, beside what dvc.lock says."""

import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from modelmake import artifacts, git
from modelmake.dvc import graph
from modelmake.dvc.graph import Entry, Recorded
from modelmake.dvc.stores import Store
from modelmake.errors import UserError
from modelmake.verifying import rehash
from modelmake.verifying.rehash import Digest, Progress

Listing = Mapping[str, str]  # {relative path: MD5} of a folder's files, {"": MD5} of a file


@dataclass(frozen=True)
class Survey:
    """What was read. Digests are None where there is nothing."""

    nodes: dict[str, Recorded]  # all of the graph
    chosen: dict[str, Recorded]  # those that were looked at
    listings: dict[str, Listing]  # of every artifact whose list of files is known, by its path
    here: dict[str, list[str] | None]  # the files of each artifact and input in the workspace
    workspace: dict[str, Digest | None]  # by file
    cache: dict[str, Digest | None]  # by object
    remote: dict[str, Digest | None]  # empty where none was asked
    cache_store: Store
    remote_store: Store | None

    def outs(self) -> list[tuple[str, Entry]]:
        """What the chosen nodes declare and dvc.lock records, each with its node."""
        return [(name, out) for name, node in self.chosen.items() for out in node.outs if out.md5]

    def copies(self) -> list[tuple[Store, dict[str, Digest | None], list[Entry]]]:
        """The cache and the remote, if it was asked: what was read there, and the artifacts that belong there."""
        places = [(self.cache_store, self.cache, [out for _, out in self.outs() if out.cached])]
        if (store := self.remote_store) is not None:
            places.append((store, self.remote, [out for _, out in self.outs() if goes_to(store, out)]))
        return places

    def files(self, out: Entry) -> dict[str, str]:
        """{path: MD5} of an artifact's files, as far as their list is known."""
        return {join(out.path, name): md5 for name, md5 in self.listings.get(out.path, {}).items()}

    def named(self) -> dict[str, list[str]]:
        """{object: the paths that have its bytes}; of a list, the folder's."""
        found: dict[str, list[str]] = {}
        for _, out in self.outs():
            for path, md5 in {f"{out.path}/": out.md5, **self.files(out)}.items():
                if md5.endswith(".dir") == path.endswith("/"):
                    found.setdefault(md5, []).append(path)
        return found

    def folder(self, path: str) -> str:
        """What is at a path of the workspace, hashed as DVC hashes it; empty where some of it cannot be read."""
        names = self.here.get(path)
        found = {name: self.workspace.get(join(path, name)) for name in names or []}
        if names is None or any(digest is None or digest.error for digest in found.values()):
            return ""
        return found[""].md5 if names == [""] else artifacts.folder_md5({n: d.md5 for n, d in found.items()})


def join(path: str, name: str) -> str:
    return f"{path}/{name}" if name else path


def goes_to(store: Store, out: Entry) -> bool:
    return out.pushed and out.remote in (None, store.name)


def right(digest: Digest | None, md5: str) -> bool:
    """Whether what was read is the object of that name."""
    return digest is not None and not digest.error and digest.md5 == md5.removesuffix(".dir")


def choose(nodes: dict[str, Recorded], names: Iterable[str]) -> dict[str, Recorded]:
    """The nodes that are named, by themselves or by an artifact; all where none is.

    Raises:
        UserError: a name that is neither.
    """
    by_path = {out.path: name for name, node in nodes.items() for out in node.outs}
    found = set()
    for name in names:
        hits = [name] if name in nodes else [by_path[out] for out in by_path if within(name.rstrip("/"), out)]
        if not hits:
            close = difflib.get_close_matches(name, [*nodes, *by_path], 1)
            told = f"did you mean {close[0]}?" if close else "`dvc stage list` has them"
            raise UserError(f"{name}: no stage and no artifact of dvc.yaml: want a name of either; {told}")
        found.update(hits)
    return {name: node for name, node in nodes.items() if name in found or not found}


def within(path: str, folder: str) -> bool:
    return f"{path}/".startswith(f"{folder}/")


def take(root: Path, names: Iterable[str], cache: Store, remote: Store | None, label: str = "rehashed") -> Survey:
    """Reads all that there is of the named nodes' artifacts and inputs.

    Raises:
        UserError: a name that is none; the remote cannot be read; a build went on meanwhile.
    """
    before = _lock(root)
    nodes = graph.recorded(root)
    chosen = choose(nodes, names)
    outs = [out for node in chosen.values() for out in node.outs if out.md5]
    made = [out.path for node in nodes.values() for out in node.outs]
    inputs = [
        dep.path for node in chosen.values() for dep in node.deps if not any(within(dep.path, out) for out in made)
    ]
    here = graph.files(root, [*(out.path for out in outs), *inputs])
    bytes_wanted = sum(out.size * (2 + (remote is not None and goes_to(remote, out))) for out in outs)
    with Progress(label, bytes_wanted) as progress:
        paths = {join(path, name) for path, names in here.items() for name in names or []}
        read = rehash.files((root / path for path in paths), progress)
        survey = Survey(
            nodes=nodes, chosen=chosen, listings={}, here=here, cache={}, remote={},
            workspace={path: read[root / path] for path in paths},
            cache_store=cache, remote_store=remote,
        )  # fmt: skip
        _list(root, survey, cache, remote)
        survey.cache.update(rehash.objects(cache, _objects(survey, [out for _, out in survey.outs()]), progress))
        if remote is not None:
            pushed = [out for _, out in survey.outs() if goes_to(remote, out)]
            survey.remote.update(rehash.objects(remote, _objects(survey, pushed), progress))
    if _lock(root) != before:
        raise UserError("dvc.lock: changed while its artifacts were read: want no build meanwhile; run this again")
    return survey


def _lock(root: Path) -> bytes:
    lock = root / "dvc.lock"
    return lock.read_bytes() if lock.exists() else b""


def _objects(survey: Survey, outs: list[Entry]) -> list[str]:
    return sorted({md5 for out in outs for md5 in (out.md5, *survey.files(out).values())})


def _list(root: Path, survey: Survey, cache: Store, remote: Store | None) -> None:
    """Fills in the lists of files: from wherever there is one that has the recorded hash."""
    for name, node in survey.nodes.items():
        for out in node.outs:
            if not out.md5.endswith(".dir"):
                survey.listings[out.path] = {"": out.md5}
                continue
            for source in (cache, remote if name in survey.chosen else None):
                if source is not None and (listing := listed(source, out.md5)) is not None:
                    survey.listings[out.path] = listing
                    break
            else:
                if survey.folder(out.path) == out.md5:
                    names = survey.here[out.path]
                    survey.listings[out.path] = {n: survey.workspace[join(out.path, n)].md5 for n in names}
                elif not out.cached and artifacts.folder_md5(kept := git.committed(root, out.path)) == out.md5:
                    survey.listings[out.path] = kept


def listed(store: Store, md5: str) -> Listing | None:
    """The files of a folder, as a store lists them; None where it has no right list."""
    try:
        with store.open(md5) as stream:
            content = stream.read()
    except Exception:  # absent, or whatever the store raises: told when its objects are read
        return None
    if artifacts.md5(content) != md5.removesuffix(".dir"):
        return None
    return {entry["relpath"]: entry["md5"] for entry in json.loads(content)}
