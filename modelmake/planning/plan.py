"""`modelmake plan`: what `dvc repro` would do, why, how long that took last time, and what the machine lacks for it."""

import json
import shlex
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from modelmake import artifacts
from modelmake.artifacts import Files
from modelmake.domain import Needs
from modelmake.dvc import reproduction
from modelmake.errors import UserError
from modelmake.keys import key_file
from modelmake.planning import forecast, reasons, resources
from modelmake.planning.forecast import RUNS, Forecast, Status
from modelmake.running import run_log, state_dir


@dataclass(frozen=True)
class Step:
    """A stage in the plan, or a .dvc file whose data changed."""

    stage: str
    status: Status
    reasons: list[str]
    needs: list[str]  # what it will take of the machine, where its domain can tell
    lacks: list[str]  # resources that this machine has too little of
    seconds: float | None  # of its last run on this machine; None: no record here
    peak_mib: int | None  # likewise
    output_bytes: int  # as last recorded


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="the same facts for programs")


def run(arguments: Namespace) -> int:
    """Prints the plan; returns 1 if a stage cannot run or the machine lacks something, else 0."""
    steps = plan(Path(), arguments.domain.needs)
    lacks = _lacking_disk(Path(), steps)
    if arguments.json:
        print(json.dumps({"stages": [asdict(step) for step in steps], "sums": sums(steps), "lacks": lacks}, indent=1))
    else:
        print("\n".join([*_table(steps), _summary(steps), *lacks]))
    return int(bool(lacks) or any(step.lacks or step.status == Status.CANNOT_RUN for step in steps))


def plan(
    root: Path, needs: Mapping[str, Needs] = MappingProxyType({}), python: Path = Path(sys.executable)
) -> list[Step]:
    """Every stage, in the order of the graph. Nothing is changed. `needs` is that of the project's domain.

    `python` runs preflight.

    Where preflight is stale it runs, into a temporary folder: it is cheap, and gives the keys of all other stages.

    Raises:
        UserError: the graph does not resolve, or preflight finds a problem; its message.
    """
    with reproduction.reading(root) as records:
        preflight = next((node for node in records.nodes.values() if key_file.FOLDER in node.outs), None)
        future = preflight and forecast.repro(root, records, {}, last=preflight.name)[preflight.name]
        if not future or future.status != Status.WILL_RUN or future.makers:
            return _steps(root, records, needs, {}, root / key_file.FOLDER, {})
    with tempfile.TemporaryDirectory() as folder:
        started, keys = time.monotonic(), Path(folder) / key_file.FOLDER
        _write_keys(root, preflight.cmd or "", keys, python)
        seconds = {preflight.name: round(time.monotonic() - started, 2)}
        files = {name: file.md5 for name, file in artifacts.measure(keys).files.items()}
        with reproduction.reading(root) as records:
            return _steps(root, records, needs, {key_file.FOLDER: files}, keys, seconds)


def sums(steps: list[Step]) -> dict[str, dict[str, Any]]:
    """{status: number of stages, their seconds last time, stages without a record of that, bytes of outputs}."""
    result = {}
    for status in Status:
        group = [step for step in steps if step.status == status]
        seconds = [step.seconds for step in group if step.seconds is not None]
        result[status] = {
            "stages": len(group),
            "seconds": round(sum(seconds), 2),
            "without_record": len(group) - len(seconds),
            "output_bytes": sum(step.output_bytes for step in group),
        }
    return result


def _write_keys(root: Path, command: str, folder: Path, python: Path) -> None:
    """Runs the command of preflight, but into another folder."""
    words = [str(folder) if word == key_file.FOLDER else word for word in shlex.split(command)]
    if words[0] == "python":
        words[0] = str(python)
    done = subprocess.run(words, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode or not folder.is_dir():
        raise UserError((done.stderr or done.stdout).strip() or f"{command}: exit {done.returncode}, wrote no keys")


def _steps(
    root: Path, records: reproduction.Records, needs: Mapping[str, Needs], written: dict[str, Files], keys: Path,
    seconds: dict[str, float],
) -> list[Step]:  # fmt: skip
    """The plan. `written` are outputs whose next content is known, `keys` is the folder of the keys as of now."""
    last_runs, steps = _last_runs(root), []
    for name, future in forecast.repro(root, records, written).items():
        if future.node.cmd is None and future.status == Status.FRESH:
            continue
        run = last_runs.get(name.rpartition(":")[2], {})
        needed, lacking = _needs(root, future, needs) if future.status in RUNS else ([], [])
        steps.append(
            Step(
                stage=name,
                status=future.status,
                reasons=[] if future.status == Status.FRESH else reasons.phrases(root, records, future, keys),
                needs=needed,
                lacks=[*lacking, *_lacks(future, run)] if future.status in RUNS else [],
                seconds=seconds.get(name, run.get("seconds")),
                peak_mib=run.get("peak_mib"),
                output_bytes=sum(future.node.sizes.values()),
            )
        )
    return steps


def _last_runs(root: Path) -> dict[str, dict[str, Any]]:
    """The last run of each stage on this machine that finished its work."""
    # kept: finished, but an input or the code was edited meanwhile
    return {run["stage"]: run for run in run_log.read(root) if run["outcome"] in ("done", "kept")}


def _needs(root: Path, future: Forecast, needs: Mapping[str, Needs]) -> tuple[list[str], list[str]]:
    """What the domain tells of a stage, by the module that its command runs."""
    module = next((word for word in (future.node.cmd or "").split() if word in needs), None)
    return needs[module](root, future.node.name.partition("@")[2]) if module else ([], [])


def _lacks(future: Forecast, run: dict[str, Any]) -> list[str]:
    """The memory and GPUs that are too few for a stage, judged by its last run, else by its meta."""
    lacks, gpus = [], future.node.meta.get("gpu") or 0
    mib, source = run.get("peak_mib"), "took at most"
    if mib is None:
        mib, source = int((future.node.meta.get("mem_mb") or 0) * 1e6) >> 20, "its meta reserves"
    if mib << 20 > (free := resources.memory()):
        lacks.append(f"memory: {source} {mib} MiB; {free >> 20} MiB are free")
    if gpus > (visible := resources.gpus() if gpus else 0):
        lacks.append(f"GPU: its meta wants {gpus}; {visible} are here")
    return lacks


def _lacking_disk(root: Path, steps: list[Step]) -> list[str]:
    needed = sum(step.output_bytes for step in steps if step.status in RUNS)
    free = resources.disk(root.absolute(), state_dir.folder(root))
    if needed <= free:
        return []
    return [f"lacks disk: outputs of stages that will or may run took {needed >> 20} MiB; {free >> 20} MiB are free"]


def _table(steps: list[Step]) -> list[str]:
    width, lines = max((len(step.stage) for step in steps), default=0), []
    for step in steps:
        facts = [*step.reasons, *step.needs, *(f"lacks {lack}" for lack in step.lacks)]
        took = duration(step.seconds)
        first = f"{step.stage:{width}}  {step.status:10}  {took:>7}  {facts[0] if facts else ''}"
        lines += [first.rstrip(), *(f"{'':{width}}  {'':10}  {'':7}  {fact}" for fact in facts[1:])]
    return lines


def _summary(steps: list[Step]) -> str:
    parts = []
    for status, group in sums(steps).items():
        if group["stages"]:
            unknown = f", {group['without_record']} without a record here" if group["without_record"] else ""
            times = f" ({duration(group['seconds'])} last time{unknown})" if status in RUNS else ""
            parts.append(f"{group['stages']} {status}{times}")
    return ", ".join(parts) or "no stages"


def duration(seconds: float | None) -> str:
    """Hours, minutes, seconds: 1:02:05; -- where there is no record."""
    if seconds is None:
        return "--"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
