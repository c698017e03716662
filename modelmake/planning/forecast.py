"""What `dvc repro` would do of each stage: its own decisions, made on the files that it would find by then."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from modelmake import identity
from modelmake.artifacts import Files, files_md5
from modelmake.dvc.reproduction import Node, Records
from modelmake.running import work_store

WILL = "will run"
MAY = "may run"  # what it is made from may come out as it was
RESTORE = "restore"  # from the run-cache, or work that was finished and kept
CHECKOUT = "checkout"  # its outs are not in the workspace as recorded, but in the cache
RECORD = "record"  # data under `dvc add`, and what is frozen: DVC takes the workspace's as they are
FAIL = "cannot run"  # an input is missing that no stage makes
FRESH = "fresh"


@dataclass(frozen=True)
class Unknown:
    """Content that stages which may run have yet to write."""

    makers: tuple[str, ...]


Content = Files | Unknown | None  # None: nothing is there
Outs = Mapping[str, str | None]  # -> MD5


@dataclass(frozen=True)
class Forecast:
    """What becomes of one node, and what that was decided by."""

    node: Node
    status: str
    inputs: Mapping[str, Content]  # as the node would find them
    lost: Mapping[str, str]  # outs that are not as recorded: deleted, modified, not in the cache
    finished: bool = False  # its work is done and kept
    checkpoint: bool = False  # it goes on from one

    @property
    def known(self) -> dict[str, Files]:
        """The inputs that no stage will have changed in an unknown way."""
        return {path: files for path, files in self.inputs.items() if isinstance(files, Mapping)}

    @property
    def makers(self) -> dict[str, tuple[str, ...]]:
        """{input: the stages that it waits for} of the others."""
        return {path: files.makers for path, files in self.inputs.items() if isinstance(files, Unknown)}

    @property
    def missing(self) -> list[str]:
        """What `dvc repro` fails without: inputs that no stage makes, data that it would only record."""
        data = self.lost if self.node.cmd is None or self.node.frozen else {}
        gone = [path for path, files in self.inputs.items() if files is None]
        return gone + [out for out, word in data.items() if word == "deleted"]

    @property
    def changed(self) -> list[str]:
        """The inputs that are not as recorded."""
        return [path for path, files in self.known.items() if files_md5(files) != self.node.deps[path]]


def repro(root: Path, records: Records, written: Mapping[str, Files], last: str = "") -> dict[str, Forecast]:
    """Of every node, in the order of DVC, up to the `last`; `written`: outs whose next content is known."""
    future, found = _Future(records), {}
    for name, node in records.nodes.items():
        found[name] = _with_work(root, _decide(records, node, future), future)
        if found[name].status in (WILL, MAY, FAIL):
            future.made |= {out: written.get(out, Unknown((name,))) for out in node.outs}
        if found[name].status in (WILL, MAY, RECORD) or found[name].finished:
            future.adds |= len(node.uncached) < len(node.outs)
        if name == last:
            break
    return found


class _Future:
    """The workspace as it will be once the stages before have had their turn."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self._now: dict[str, Content] = {}
        self.made: dict[str, Content] = {}  # by out
        self.adds = False  # whether something unknown was put into the cache

    def now(self, path: str) -> Content:
        if path not in self._now:
            self._now[path] = self.records.files(path)
        return self._now[path]

    def at(self, path: str) -> Content:
        """Itself an out, within one, or a folder that holds some."""
        for out, content in self.made.items():
            if f"{path}/".startswith(f"{out}/"):
                return _within(content, path[len(out) + 1 :]) if isinstance(content, Mapping) else content
        held = {out[len(path) + 1 :]: content for out, content in self.made.items() if out.startswith(f"{path}/")}
        if makers := [name for content in held.values() if isinstance(content, Unknown) for name in content.makers]:
            return Unknown(tuple(dict.fromkeys(makers)))
        if not held:
            return self.now(path)
        files = dict(self.now(path) or {})
        for out, content in held.items():
            files = {name: value for name, value in files.items() if not f"{name}/".startswith(f"{out}/")}
            files |= {f"{out}/{name}" if name else out: value for name, value in (content or {}).items()}
        return files

    def ways(self, status: str, outs: Outs | None) -> set[str]:
        """What may become of a stage to which DVC gives these outs if the cache holds them all."""
        if outs and all(self.records.cache.whole(value) is not None for value in outs.values()):
            return {status}
        return {WILL, status} if outs and self.adds else {WILL}


def _within(folder: Files, path: str) -> Files | None:
    if not path:
        return folder
    if path in folder:
        return {"": folder[path]}
    return {name[len(path) + 1 :]: value for name, value in folder.items() if name.startswith(f"{path}/")} or None


def _decide(records: Records, node: Node, future: _Future) -> Forecast:
    """As `Stage.reproduce` and `StageCache.restore` of DVC, for every content that unknown inputs may get."""
    inputs = {path: future.at(path) for path in node.deps}
    lost = {out: word for out in node.outs if (word := _lost(records, node, out, future.now(out)))}
    found = Forecast(node, FRESH, inputs, lost)
    if node.cmd is None or node.frozen:  # nothing runs: the workspace's data are recorded
        changed = RECORD if lost or node.recorded_cmd != node.cmd else FRESH
        return replace(found, status=FAIL if "deleted" in lost.values() else changed)
    if None in inputs.values():
        return replace(found, status=FAIL)
    if node.always:
        return replace(found, status=WILL)
    open_ = bool(found.makers)
    same = node.recorded_cmd == node.cmd and node.recorded_params == node.params and not found.changed
    possible = {WILL} if open_ else set()  # unknown inputs may become what never was there
    outs: Outs | None = None  # what DVC would put into the workspace
    if same and not lost:
        possible.add(FRESH)
    elif same and all(node.outs.values()):
        outs = node.outs
        possible |= future.ways(CHECKOUT, outs)
    if not open_ and not possible:
        outs = records.restorable(node.name, found.known)
        possible |= future.ways(RESTORE, outs)
    elif open_ and possible == {WILL}:
        possible = possible.union(*(future.ways(RESTORE, o) for o in records.similar(node.name, found.known)))
    status = possible.pop() if len(possible) == 1 else MAY
    if status in (CHECKOUT, RESTORE):
        future.made |= {out: records.cache.whole(value) for out, value in outs.items()}
    return replace(found, status=status)


def _with_work(root: Path, found: Forecast, future: _Future) -> Forecast:
    """What the harness does with earlier work of the same command, inputs and parameters."""
    name = found.node.name.rpartition(":")[2]
    if found.status != WILL or found.makers or found.node.always or not work_store.has_work(root, name):
        return found
    built_from = identity.of_lock(future.records.entry(found.node.name, found.known) | {"cmd": found.node.cmd})
    finished = work_store.find(root, name, built_from)
    made = {out: future.records.files(str(path)) for out, path in finished.outputs.items()} if finished else {}
    if finished and all(files is not None and files_md5(files) == finished.md5s[out] for out, files in made.items()):
        future.made |= made
        return replace(found, status=RESTORE, finished=True)
    return replace(found, checkpoint=any(work_store.checkpoints(root, name, built_from).glob("*")))


def _lost(records: Records, node: Node, out: str, now: Files | None) -> str:
    recorded = node.outs[out]
    if recorded and out not in node.uncached and records.cache.whole(recorded) is None:
        return "not in the cache"
    if now is None:
        return "deleted"
    return "" if files_md5(now) == recorded else "modified"
