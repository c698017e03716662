"""Digests of every declared artifact in the workspace, in DVC's cache and on a remote, beside what dvc.lock records."""

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
Digests = dict[str, Digest | None]  # None: there is no such file or object


@dataclass(frozen=True)
class Survey:
    """Everything that was read."""

    nodes: dict[str, Recorded]  # the whole graph
    selected: dict[str, Recorded]  # the nodes whose artifacts and inputs were read
    listings: dict[str, Listing]  # {artifact: its files as recorded}, where the list is known
    present: dict[str, list[str] | None]  # {artifact or input: its files in the workspace}; None: absent
    workspace: Digests  # by path of the file
    cache: Digests  # by MD5 of the object
    remote: Digests  # as above; empty if no remote was asked
    cache_store: Store
    remote_store: Store | None

    def outs(self) -> list[tuple[str, Entry]]:
        """(node, artifact) of everything that selected nodes declare and dvc.lock records."""
        return [(name, out) for name, node in self.selected.items() for out in node.outs if out.md5]

    def stores(self) -> list[tuple[Store, Digests, list[Entry]]]:
        """The cache, and the remote if it was asked: (store, its digests, the artifacts that belong in it)."""
        stores = [(self.cache_store, self.cache, [out for _, out in self.outs() if out.cached])]
        if (remote := self.remote_store) is not None:
            stores.append((remote, self.remote, [out for _, out in self.outs() if is_pushed_to(remote, out)]))
        return stores

    def files(self, out: Entry) -> dict[str, str]:
        """{path: MD5} of an artifact's files as recorded; empty if their list is not known."""
        return {join(out.path, name): md5 for name, md5 in self.listings.get(out.path, {}).items()}

    def objects(self, outs: Iterable[Entry]) -> set[str]:
        """The MD5s of the objects that artifacts consist of: their files, and the listings of folders."""
        return {md5 for out in outs for md5 in (out.md5, *self.files(out).values())}

    def paths_by_md5(self) -> dict[str, list[str]]:
        """{MD5: paths of the files with these bytes}; for the listing of a folder, the folder's path with a slash."""
        paths: dict[str, list[str]] = {}
        for _, out in self.outs():
            for path, md5 in {f"{out.path}/": out.md5, **self.files(out)}.items():
                if md5.endswith(".dir") == path.endswith("/"):
                    paths.setdefault(md5, []).append(path)
        return paths

    def workspace_md5(self, path: str) -> str:
        """The hash of a file or folder in the workspace, as in dvc.lock; empty if it is absent or not readable."""
        names = self.present.get(path)
        digests = {name: self.workspace.get(join(path, name)) for name in names or []}
        if names is None or any(digest is None or digest.error for digest in digests.values()):
            return ""
        return artifacts.files_md5({name: digest.md5 for name, digest in digests.items()})


def join(path: str, name: str) -> str:
    """The path of a file in an artifact; `name` is empty for an artifact that is a file."""
    return f"{path}/{name}" if name else path


def is_within(path: str, folder: str) -> bool:
    """True if a path is the folder or in it."""
    return f"{path}/".startswith(f"{folder}/")


def is_pushed_to(store: Store, out: Entry) -> bool:
    """True if `dvc push` puts the artifact on this remote."""
    return out.pushed and out.remote in (None, store.name)


def matches(digest: Digest | None, md5: str) -> bool:
    """True if a digest is that of the object with this name."""
    return digest is not None and not digest.error and digest.md5 == md5.removesuffix(".dir")


def select(nodes: dict[str, Recorded], names: Iterable[str]) -> dict[str, Recorded]:
    """The nodes with these names or artifacts; all nodes if there are no names.

    Raises:
        UserError: a name is neither a node nor an artifact.
    """
    node_by_out = {out.path: name for name, node in nodes.items() for out in node.outs}
    selected = set()
    for name in names:
        own = [name] if name in nodes else [node_by_out[out] for out in node_by_out if is_within(name.rstrip("/"), out)]
        if not own:
            close = difflib.get_close_matches(name, [*nodes, *node_by_out], 1)
            advice = f"did you mean {close[0]}?" if close else "`dvc stage list` has them"
            raise UserError(f"{name}: no stage and no artifact of dvc.yaml: want a name of either; {advice}")
        selected.update(own)
    return {name: node for name, node in nodes.items() if name in selected or not selected}


def read(root: Path, names: Iterable[str], cache: Store, remote: Store | None, label: str = "rehashed") -> Survey:
    """Reads every artifact and input of the nodes with these names or artifacts.

    Raises:
        UserError: a name is neither, the remote cannot be read, or dvc.lock changed meanwhile.
    """
    before = _lock(root)
    nodes = graph.recorded(root)
    selected = select(nodes, names)
    outs = [out for node in selected.values() for out in node.outs if out.md5]
    made = [out.path for node in nodes.values() for out in node.outs]
    inputs = [
        dep.path for node in selected.values() for dep in node.deps if not any(is_within(dep.path, out) for out in made)
    ]
    present = graph.files(root, [*(out.path for out in outs), *inputs])
    total_bytes = sum(out.size * (2 + (remote is not None and is_pushed_to(remote, out))) for out in outs)
    with Progress(label, total_bytes) as progress:
        paths = {join(path, name) for path, files in present.items() for name in files or []}
        digests = rehash.files((root / path for path in paths), progress)
        survey = Survey(
            nodes=nodes, selected=selected, listings={}, present=present, cache={}, remote={},
            workspace={path: digests[root / path] for path in paths},
            cache_store=cache, remote_store=remote,
        )  # fmt: skip
        _add_listings(root, survey, cache, remote)
        survey.cache.update(rehash.objects(cache, sorted(survey.objects(outs)), progress))
        if remote is not None:
            pushed = [out for out in outs if is_pushed_to(remote, out)]
            survey.remote.update(rehash.objects(remote, sorted(survey.objects(pushed)), progress))
    if _lock(root) != before:
        raise UserError("dvc.lock: changed while its artifacts were read: want no build meanwhile; run this again")
    return survey


def _lock(root: Path) -> bytes:
    lock = root / "dvc.lock"
    return lock.read_bytes() if lock.exists() else b""


def _add_listings(root: Path, survey: Survey, cache: Store, remote: Store | None) -> None:
    """Fills in the lists of files, each from the first place that has one with the recorded hash."""
    for name, node in survey.nodes.items():
        for out in node.outs:
            if not out.md5.endswith(".dir"):
                survey.listings[out.path] = {"": out.md5}
                continue
            for store in (cache, remote if name in survey.selected else None):
                if store is not None and (listing := read_listing(store, out.md5)) is not None:
                    survey.listings[out.path] = listing
                    break
            else:
                if survey.workspace_md5(out.path) == out.md5:
                    files = survey.present[out.path]
                    survey.listings[out.path] = {f: survey.workspace[join(out.path, f)].md5 for f in files}
                elif not out.cached and artifacts.folder_md5(committed := git.committed(root, out.path)) == out.md5:
                    survey.listings[out.path] = committed


def read_listing(store: Store, md5: str) -> Listing | None:
    """The files of a folder, by its listing in a store; None if the store has no intact listing."""
    try:
        with store.open(md5) as stream:
            content = stream.read()
    except Exception:  # absent, or an error of the store, which is reported when its objects are read
        return None
    if artifacts.md5(content) != md5.removesuffix(".dir"):
        return None
    return {entry["relpath"]: entry["md5"] for entry in json.loads(content)}
