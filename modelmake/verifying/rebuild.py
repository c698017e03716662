"""Rebuilds committed stages in a clean clone and compares their bytes with those that dvc.lock records.

Each stage gets the inputs that dvc.lock records, checked byte by byte: after a stage that gave other bytes, the
recorded ones take their place. So what is said of an artifact is about its own stage, not about what came before it.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modelmake import artifacts, git
from modelmake.domain import Compare
from modelmake.dvc import graph, stores
from modelmake.dvc.graph import Entry, Recorded
from modelmake.errors import UserError
from modelmake.running import platform, state_dir
from modelmake.verifying import closeness, proofs, rehash, survey
from modelmake.verifying.proofs import NEAR, NOTHING, OTHER, SAME, Proof
from modelmake.verifying.rehash import Digest
from modelmake.verifying.survey import Listing, join, within

ASIDE = ".rebuilt"  # in the clone: artifacts of other bytes


@dataclass
class Bench:
    """The clone, and what is known of it and of the project that it is of."""

    root: Path
    path: Path
    nodes: dict[str, Recorded]  # as committed
    cache: stores.Store  # of the project
    compare: Mapping[str, Compare]  # {suffix: distance of two files}
    listings: dict[str, Listing] = field(default_factory=dict)
    ready: set[str] = field(default_factory=set)  # artifacts whose recorded bytes are in the clone
    worth_a_look: bool = False  # something came out different, or a stage failed
    read: dict[tuple[int, ...], Digest] = field(default_factory=dict)  # what was hashed, while it is unchanged

    def digest(self, path: Path) -> Digest | None:
        """Of a file; read again only if its inode changed since, by whatever: nobody can set that time back."""
        try:
            status = path.stat()
        except FileNotFoundError:
            return None
        key = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        if key not in self.read:
            with path.open("rb") as stream:
                self.read[key] = rehash.digest(stream)
        return self.read[key]

    def files(self, *paths: str) -> dict[str, dict[str, str]]:
        """{path: {relative path: MD5}} of what is in the clone."""
        found = graph.files(self.path, paths)
        return {
            path: {name: self.digest(self.path / join(path, name)).md5 for name in names or []}
            for path, names in found.items()
        }

    def recorded(self, out: Entry) -> dict[str, Path] | None:
        """{relative path: file with the recorded bytes} in the project's cache or workspace; None where one lacks."""
        if out.path not in self.listings and (listing := self._listing(out)) is not None:
            self.listings[out.path] = listing
        found = {}
        for name, md5 in self.listings.get(out.path, {"": None}).items():
            places = (self.cache.path(md5) if md5 else None, self.root / join(out.path, name))
            right = (p for p in places if p and p.is_file() and md5 and self.digest(p).md5 == md5)
            if (place := next(right, None)) is None:
                return None
            found[name] = place
        return found

    def _listing(self, out: Entry) -> Listing | None:
        if not out.md5.endswith(".dir"):
            return {"": out.md5}
        if (listing := survey.listed(self.cache, out.md5)) is not None:
            return listing
        here = graph.files(self.root, [out.path])[out.path] or []
        files = {name: self.digest(self.root / join(out.path, name)).md5 for name in here}
        return files if artifacts.folder_md5(files) == out.md5 else None

    def set_aside(self, out: Entry) -> None:
        """Moves what was rebuilt out of the way."""
        aside = self.path / ASIDE / out.path
        aside.parent.mkdir(parents=True, exist_ok=True)
        (self.path / out.path).rename(aside)

    def bring(self, out: Entry) -> bool:
        """Puts the recorded bytes of an artifact into the clone; false where the project lacks some."""
        if (files := self.recorded(out)) is None:
            return False
        _remove(self.path / out.path)
        for name, source in files.items():
            target = self.path / join(out.path, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        return True


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild proved; and its clone, kept where something was not proven, for a look at the differences."""

    commit: str
    nodes: dict[str, Recorded]
    proofs: list[Proof]
    kept: Path | None


def run(root: Path, names: list[str], tolerance: float, talk: Any, compare: Mapping[str, Compare]) -> Rebuilt:
    """Rebuilds the named stages of HEAD, or all, and keeps what that proves. What they print goes to the file `talk`.

    Raises:
        UserError: nothing is committed, a name is wrong, or the disk is too small.
    """
    commit = git.head(root)
    if not commit:
        raise UserError(f"{root.absolute()}: no commit: want the build in git: `git add -A && git commit`")
    with contextlib.ExitStack() as left:
        folder, path = _clone(root, left)
        nodes = graph.recorded(path)
        chosen = {name: node for name, node in survey.choose(nodes, names).items() if node.cmd}
        if not chosen:
            raise UserError(f"{' '.join(names)}: no stage makes it: want a stage with a command to rebuild")
        _check_space(root, chosen)
        bench = Bench(root, path, nodes, stores.cache(root), compare)
        found: list[Proof] = []
        for name, node in chosen.items():
            proof = _rebuild(bench, name, node, commit, tolerance, talk)
            found.append(proof)
            why = f": {proof.why}" if proof.why else ""
            for artifact, outcome in proof.outcome.items():
                told = _told(outcome, proof.bounds.get(artifact, {}))
                print(f"{name}: {artifact}: {told}{why}", file=talk, flush=True)
        proofs.keep(root, found, nodes)
        kept = None
        if bench.worth_a_look:
            kept, _ = folder, left.pop_all()
    return Rebuilt(commit, nodes, found, kept)


def _told(outcome: str, bounds: dict[str, float]) -> str:
    words = {SAME: "the same bytes", NEAR: "within tolerance", OTHER: "different", NOTHING: "not rebuilt"}[outcome]
    if not bounds:
        return words
    place = max(bounds, key=bounds.get)
    return f"{words}: at most {bounds[place]:.3g} apart ({place})"


def _rebuild(bench: Bench, name: str, node: Recorded, commit: str, tolerance: float, talk: Any) -> Proof:
    outs = [out.path for out in node.outs]
    why = _prepare(bench, name, node)
    if not why:
        code = _repro(bench.path, name, talk)
        why = f"`dvc repro` ended with {code}; its own message stands above" if code else ""
        bench.worth_a_look |= bool(code)
    rebuilt_on, original = proofs.stacks(bench.root, bench.path, name, node)
    stage = graph.Stage(name, node.cmd, (), (), ())
    outcome, bounds = dict.fromkeys(outs, NOTHING), {}
    if not why:
        for out, files in zip(node.outs, bench.files(*outs).values(), strict=True):
            outcome[out.path], bounds[out.path] = _compared(bench, out, files, tolerance)
    for out in node.outs:
        if outcome[out.path] == SAME:
            bench.ready.add(out.path)
        elif outcome[out.path] != NOTHING:  # whoever needs it gets the recorded bytes
            bench.set_aside(out)
    bench.worth_a_look |= OTHER in outcome.values()
    return Proof(
        stage=name,
        record=node.digest,
        commit=commit,
        date=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        stack=rebuilt_on or platform.read(bench.path / stage.key_file),
        original=original,
        outcome=outcome,
        bounds={path: found for path, found in bounds.items() if found},
        why=why,
    )


def _prepare(bench: Bench, name: str, node: Recorded) -> str:
    """Brings a stage's inputs into the clone and checks every byte; why it cannot be rebuilt, if so."""
    unbuilt = [entry.path for entry in (*node.outs, *node.deps) if not entry.md5]
    if unbuilt or node.changed:
        return f"dvc.lock of that commit does not have {', '.join([*unbuilt, *node.changed])}: build and commit first"
    made = [(other, out) for other, n in bench.nodes.items() if other != name for out in n.outs if out.md5]
    for other, out in made:
        needed = any(within(dep.path, out.path) or within(out.path, dep.path) for dep in node.deps)
        if needed and out.path not in bench.ready:
            from_git = not out.cached and (bench.path / out.path).exists()
            if not from_git and not bench.bring(out):
                return f"its input {out.path} is not on this machine as recorded: `dvc pull {other}` first"
            bench.ready.add(out.path)
    for dep, files in zip(node.deps, bench.files(*(dep.path for dep in node.deps)).values(), strict=True):
        found = artifacts.files_md5(files)
        if not files:
            return f"its input {dep.path} is in neither git nor DVC: a clean clone has it not; `dvc add` it"
        if found != dep.md5:
            return (
                f"its input {dep.path} has md5 {found} in that commit, dvc.lock has {dep.md5}: build and commit first"
            )
    return ""


def _compared(bench: Bench, out: Entry, files: dict[str, str], tolerance: float) -> tuple[str, dict[str, float]]:
    """The outcome of one artifact, and how far it is from the recorded one, where that is a number."""
    if files and (artifacts.files_md5(files)) == out.md5:
        return SAME, {}
    recorded = bench.recorded(out)
    if recorded is None:
        return OTHER, {}
    own = Path(out.path).name  # of an artifact that is a file
    rebuilt = {name or own: bench.path / join(out.path, name) for name in files}
    bounds = closeness.distances({name or own: path for name, path in recorded.items()}, rebuilt, bench.compare)
    if bounds is None:
        return OTHER, {}
    return (NEAR if max(bounds.values(), default=0.0) <= tolerance else OTHER), bounds


def _repro(clone: Path, name: str, talk: Any) -> int:
    """Runs one stage for real: DVC's cache and run-cache there are empty, and it is forced."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("DVC_", "GIT_"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = [sys.executable, "-m", "dvc", "repro", "-s", "-f", name]
    return subprocess.run(command, cwd=clone, env={**kept, "PATH": path}, stdout=talk, stderr=talk).returncode


def _clone(root: Path, left: contextlib.ExitStack) -> tuple[Path, Path]:
    """A folder beside the repository with a clone of HEAD, which `left` removes; and where in it the project is.

    It has a DVC cache of its own, and all else that DVC remembers.
    """
    top = Path(_git(root, "rev-parse", "--show-toplevel"))
    try:
        folder = Path(tempfile.mkdtemp(prefix=f"{top.name}-rebuild-", dir=top.parent))
    except OSError as error:
        raise UserError(f"{top.parent}: {error.strerror}: want to make the folder of a clone there") from error
    left.callback(shutil.rmtree, folder, ignore_errors=True)
    _git(root, "clone", "-q", str(top), str(folder))
    clone = folder / _git(root, "rev-parse", "--show-prefix")
    config = f"[core]\n    site_cache_dir = {clone}/.dvc/tmp/site\n[cache]\n    dir = cache\n"
    (clone / ".dvc/config.local").write_text(config)
    tools = state_dir.folder(root) / "envs"
    if tools.is_dir():  # environments of tools, named by their locks: the same, and minutes to make
        state_dir.folder(clone).mkdir(parents=True)
        (state_dir.folder(clone) / "envs").symlink_to(tools)
    return folder, clone


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True)
    if done.returncode:
        raise UserError(f"git {arguments[0]}: {' '.join(done.stderr.split())}: want a clone of HEAD")
    return done.stdout.strip()


def _check_space(root: Path, chosen: dict[str, Recorded]) -> None:
    wanted = 2 * sum(out.size for node in chosen.values() for out in node.outs)  # in the workspace and the cache
    free = shutil.disk_usage(root.absolute().parent).free
    if free < wanted:
        raise UserError(
            f"{root.absolute().parent}: found {free >> 20} MiB free: want {wanted >> 20} MiB for a rebuild; free some, "
            "or name fewer stages"
        )


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
