"""What `dvc repro` would do with each stage: DVC's own decisions, made on the files that each stage would find."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from modelmake import identity
from modelmake.artifacts import Files, files_md5
from modelmake.dvc.reproduction import Node, Records
from modelmake.running import work_folders, work_store


class Status(StrEnum):
    WILL_RUN = "will run"
    MAY_RUN = "may run"  # its inputs may come out as they were
    RESTORE = "restore"  # from the run-cache, or from finished work in the work store
    CHECKOUT = "checkout"  # its outputs differ from the record in the workspace, and are in the cache
    RECORD = "record"  # DVC takes what is in the workspace: data under `dvc add`, outputs of a frozen stage
    CANNOT_RUN = "cannot run"  # an input is missing that no stage makes
    FRESH = "fresh"


RUNS = (Status.WILL_RUN, Status.MAY_RUN)


@dataclass(frozen=True)
class Unknown:
    """Content that stages which may run have yet to write."""

    makers: tuple[str, ...]


Content = Files | Unknown | None  # None: nothing is there
Outs = Mapping[str, str | None]  # {output: MD5}


@dataclass(frozen=True)
class Forecast:
    """The status of one node, and the grounds for it."""

    node: Node
    status: Status
    inputs: Mapping[str, Content]  # as the node would find them
    lost: Mapping[str, str]  # outputs that are not as recorded: deleted, modified, not in the cache
    finished: bool = False  # its finished work is in the work store
    checkpoint: bool = False  # it would resume from one

    @property
    def known(self) -> dict[str, Files]:
        """The inputs whose content is known."""
        return {path: files for path, files in self.inputs.items() if isinstance(files, Mapping)}

    @property
    def makers(self) -> dict[str, tuple[str, ...]]:
        """{input: the stages that it waits for} of the inputs whose content is not known."""
        return {path: files.makers for path, files in self.inputs.items() if isinstance(files, Unknown)}

    @property
    def missing(self) -> list[str]:
        """Paths without which `dvc repro` fails: inputs that no stage makes, data that it would only record."""
        data = self.lost if self.node.cmd is None or self.node.frozen else {}
        inputs = [path for path, files in self.inputs.items() if files is None]
        return inputs + [out for out, problem in data.items() if problem == "deleted"]

    @property
    def changed(self) -> list[str]:
        """The inputs that are known and not as recorded."""
        return [path for path, files in self.known.items() if files_md5(files) != self.node.deps[path]]


def repro(root: Path, records: Records, written: Mapping[str, Files], last: str = "") -> dict[str, Forecast]:
    """{node: its forecast} in the order of DVC, up to the node `last`.

    `written` are outputs whose next content is known, though their stage is stale.
    """
    workspace, forecasts = _Workspace(records), {}
    for name, node in records.nodes.items():
        forecast = forecasts[name] = _with_work(root, _decide(records, node, workspace), workspace)
        if forecast.status in (*RUNS, Status.CANNOT_RUN):
            workspace.made |= {out: written.get(out, Unknown((name,))) for out in node.outs}
        if forecast.status in (*RUNS, Status.RECORD) or forecast.finished:
            workspace.cache_grows |= len(node.uncached) < len(node.outs)
        if name == last:
            break
    return forecasts


class _Workspace:
    """The workspace as it will be when the stages before have had their turn."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self.made: dict[str, Content] = {}  # by output
        self.cache_grows = False  # by objects that are not known
        self._now: dict[str, Content] = {}

    def now(self, path: str) -> Content:
        if path not in self._now:
            self._now[path] = self.records.files(path)
        return self._now[path]

    def then(self, path: str) -> Content:
        """The content of an output, of a path in one, or of a folder with outputs in it."""
        for out, content in self.made.items():
            if f"{path}/".startswith(f"{out}/"):
                return _within(content, path[len(out) + 1 :]) if isinstance(content, Mapping) else content
        inside = {out[len(path) + 1 :]: content for out, content in self.made.items() if out.startswith(f"{path}/")}
        if makers := [name for content in inside.values() if isinstance(content, Unknown) for name in content.makers]:
            return Unknown(tuple(dict.fromkeys(makers)))
        if not inside:
            return self.now(path)
        files = dict(self.now(path) or {})
        for out, content in inside.items():
            files = {name: value for name, value in files.items() if not f"{name}/".startswith(f"{out}/")}
            files |= {f"{out}/{name}" if name else out: value for name, value in (content or {}).items()}
        return files

    def statuses(self, status: Status, outs: Outs | None) -> set[Status]:
        """The possible statuses of a stage that gets `status` if the cache has all of `outs`."""
        if outs and all(self.records.cache.whole(md5) is not None for md5 in outs.values()):
            return {status}
        return {Status.WILL_RUN, status} if outs and self.cache_grows else {Status.WILL_RUN}


def _within(folder: Files, path: str) -> Files | None:
    """The files at a path in a folder."""
    if not path:
        return folder
    if path in folder:
        return {"": folder[path]}
    return {name[len(path) + 1 :]: value for name, value in folder.items() if name.startswith(f"{path}/")} or None


def _decide(records: Records, node: Node, workspace: _Workspace) -> Forecast:
    """As DVC's `Stage.reproduce` and `StageCache.restore` decide, for any content that unknown inputs may get."""
    inputs = {path: workspace.then(path) for path in node.deps}
    lost = {out: problem for out in node.outs if (problem := _lost(records, node, out, workspace.now(out)))}
    forecast = Forecast(node, Status.FRESH, inputs, lost)
    if node.cmd is None or node.frozen:  # nothing runs
        changed = Status.RECORD if lost or node.recorded_cmd != node.cmd else Status.FRESH
        return replace(forecast, status=Status.CANNOT_RUN if "deleted" in lost.values() else changed)
    if None in inputs.values():
        return replace(forecast, status=Status.CANNOT_RUN)
    if node.always:
        return replace(forecast, status=Status.WILL_RUN)
    waits = bool(forecast.makers)
    same = node.recorded_cmd == node.cmd and node.recorded_params == node.params and not forecast.changed
    possible = {Status.WILL_RUN} if waits else set()  # unknown inputs may get new content
    outs: Outs | None = None  # that DVC would put into the workspace
    if same and not lost:
        possible.add(Status.FRESH)
    elif same and all(node.outs.values()):
        outs = node.outs
        possible |= workspace.statuses(Status.CHECKOUT, outs)
    if not waits and not possible:
        outs = records.restorable(node.name, forecast.known)
        possible |= workspace.statuses(Status.RESTORE, outs)
    elif waits and possible == {Status.WILL_RUN}:
        for outs_of_run in records.similar(node.name, forecast.known):
            possible |= workspace.statuses(Status.RESTORE, outs_of_run)
    status = possible.pop() if len(possible) == 1 else Status.MAY_RUN
    if status in (Status.CHECKOUT, Status.RESTORE):
        workspace.made |= {out: records.cache.whole(md5) for out, md5 in outs.items()}
    return replace(forecast, status=status)


def _with_work(root: Path, forecast: Forecast, workspace: _Workspace) -> Forecast:
    """The forecast with what the harness does with earlier work of the same command, inputs and parameters."""
    node = forecast.node
    name = node.name.rpartition(":")[2]
    stale = forecast.status == Status.WILL_RUN and not forecast.makers and not node.always
    if not stale or not work_store.has_work(root, name):
        return forecast
    built_from = identity.of_lock(workspace.records.entry(node.name, forecast.known) | {"cmd": node.cmd})
    work = work_store.find(root, name, built_from)
    made = {out: workspace.records.files(str(path)) for out, path in work.outputs.items()} if work else {}
    if work and all(files is not None and files_md5(files) == work.md5s[out] for out, files in made.items()):
        workspace.made |= made
        return replace(forecast, status=Status.RESTORE, finished=True)
    checkpoints = work_folders.folder(root, work_folders.CHECKPOINTS, name, built_from)
    return replace(forecast, checkpoint=any(checkpoints.glob("*")))


def _lost(records: Records, node: Node, out: str, now: Files | None) -> str:
    """How an output differs from its record: "not in the cache", "deleted", "modified" or ""."""
    recorded = node.outs[out]
    if recorded and out not in node.uncached and records.cache.whole(recorded) is None:
        return "not in the cache"
    if now is None:
        return "deleted"
    return "" if files_md5(now) == recorded else "modified"
