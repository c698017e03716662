"""`modelmake plan`: what `dvc repro` would do, why, how long that took last time, and what the machine lacks for it."""

import argparse
import json
import shlex
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from modelmake import artifacts
from modelmake.artifacts import Files
from modelmake.dvc import reproduction
from modelmake.errors import UserError
from modelmake.keys import key_file
from modelmake.planning import forecast, reasons, resources
from modelmake.planning.forecast import CHECKOUT, FAIL, FRESH, MAY, RECORD, RESTORE, WILL, Forecast
from modelmake.running import run_log, state_dir

ORDER = (WILL, MAY, RESTORE, CHECKOUT, RECORD, FAIL, FRESH)


@dataclass(frozen=True)
class Step:
    """A stage in the plan, or a .dvc file whose data changed."""

    stage: str
    status: str
    reasons: list[str]
    lacks: list[str]  # what this machine has too little of
    seconds: float | None  # that it took when it last was done on this machine; None: no record here
    peak_mib: int | None  # as above
    output_bytes: int  # as last recorded


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="the same facts for programs")


def run(arguments: argparse.Namespace) -> int:
    """0: nothing is in the way of `dvc repro`; 1: something is."""
    steps = plan(Path())
    lacks = _disk(Path(), steps)
    if arguments.json:
        print(json.dumps({"stages": [asdict(step) for step in steps], "sums": sums(steps), "lacks": lacks}, indent=1))
    else:
        print("\n".join([*_table(steps), _summary(steps), *lacks]))
    return int(bool(lacks) or any(step.lacks or step.status == FAIL for step in steps))


def plan(root: Path) -> list[Step]:
    """Every stage, in the order of the graph; nothing is changed.

    Preflight is cheap: where it is stale it runs, into a temporary folder, for the keys of all others.

    Raises:
        UserError: the graph does not resolve, or preflight finds something wrong, in its words.
    """
    with reproduction.reading(root) as records:
        writer = next((node for node in records.nodes.values() if key_file.FOLDER in node.outs), None)
        found = forecast.repro(root, records, {}, last=writer.name)[writer.name] if writer else None
        if found is None or found.status != WILL or found.makers:
            return _steps(root, records, {}, root / key_file.FOLDER, {})
    with tempfile.TemporaryDirectory() as folder:
        started, keys = time.monotonic(), Path(folder) / key_file.FOLDER
        _write_keys(root, writer.cmd or "", keys)
        took = {writer.name: round(time.monotonic() - started, 2)}
        files = {name: file.md5 for name, file in artifacts.measure(keys).files.items()}
        with reproduction.reading(root) as records:
            return _steps(root, records, {key_file.FOLDER: files}, keys, took)


def sums(steps: list[Step]) -> dict[str, dict[str, Any]]:
    """By status: how many stages, the seconds they took last time, how many have no record of that."""
    found = {}
    for status in ORDER:
        steps_so = [step for step in steps if step.status == status]
        seconds = [step.seconds for step in steps_so if step.seconds is not None]
        found[status] = {
            "stages": len(steps_so),
            "seconds": round(sum(seconds), 2),
            "without_record": len(steps_so) - len(seconds),
            "output_bytes": sum(step.output_bytes for step in steps_so),
        }
    return found


def _write_keys(root: Path, command: str, folder: Path) -> None:
    """Runs preflight as dvc.yaml says, but for where it writes."""
    words = [str(folder) if word == key_file.FOLDER else word for word in shlex.split(command)]
    if words[0] == "python":
        words[0] = sys.executable
    done = subprocess.run(words, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode or not folder.is_dir():
        raise UserError((done.stderr or done.stdout).strip() or f"{command}: exit {done.returncode}, wrote no keys")


def _steps(
    root: Path, records: reproduction.Records, written: dict[str, Files], keys: Path, took: dict[str, float]
) -> list[Step]:
    last, steps = _last_done(root), []
    for name, found in forecast.repro(root, records, written).items():
        if found.node.cmd is None and found.status == FRESH:
            continue
        run = last.get(name.rpartition(":")[2], {})
        why = [] if found.status == FRESH else reasons.phrases(root, records, found, keys)
        steps.append(
            Step(
                stage=name,
                status=found.status,
                reasons=why,
                lacks=_lacks(found, run) if found.status in (WILL, MAY) else [],
                seconds=took.get(name, run.get("seconds")),
                peak_mib=run.get("peak_mib"),
                output_bytes=sum(found.node.sizes.values()),
            )
        )
    return steps


def _last_done(root: Path) -> dict[str, dict[str, Any]]:
    """The last run of each stage that came to its end on this machine."""
    # kept: done, but its inputs were edited meanwhile
    return {run["stage"]: run for run in run_log.read(root) if run["outcome"] in ("done", "kept")}


def _lacks(found: Forecast, run: dict[str, Any]) -> list[str]:
    lacks, gpus = [], found.node.meta.get("gpu") or 0
    wanted, said = run.get("peak_mib"), "took at most"
    if wanted is None:
        wanted, said = int((found.node.meta.get("mem_mb") or 0) * 1e6) >> 20, "its meta reserves"
    if wanted << 20 > (free := resources.memory()):
        lacks.append(f"memory: {said} {wanted} MiB; {free >> 20} MiB are free")
    if gpus > (there := resources.gpus() if gpus else 0):
        lacks.append(f"GPU: its meta wants {gpus}; {there} are here")
    return lacks


def _disk(root: Path, steps: list[Step]) -> list[str]:
    wanted = sum(step.output_bytes for step in steps if step.status in (WILL, MAY))
    free = resources.disk(root.absolute(), state_dir.folder(root))
    if wanted <= free:
        return []
    return [f"lacks disk: outputs of what will or may run took {wanted >> 20} MiB; {free >> 20} MiB are free"]


def _table(steps: list[Step]) -> list[str]:
    wide, lines = max((len(step.stage) for step in steps), default=0), []
    for step in steps:
        facts = [*step.reasons, *(f"lacks {lack}" for lack in step.lacks)]
        first = f"{step.stage:{wide}}  {step.status:10}  {_time(step.seconds):>7}  {facts[0] if facts else ''}"
        lines += [first.rstrip(), *(f"{'':{wide}}  {'':10}  {'':7}  {fact}" for fact in facts[1:])]
    return lines


def _summary(steps: list[Step]) -> str:
    parts = []
    for status, sum_ in sums(steps).items():
        if sum_["stages"]:
            unknown = f", {sum_['without_record']} without a record here" if sum_["without_record"] else ""
            times = f" ({_time(sum_['seconds'])} last time{unknown})" if status in (WILL, MAY) else ""
            parts.append(f"{sum_['stages']} {status}{times}")
    return ", ".join(parts) or "no stages"


def _time(seconds: float | None) -> str:
    """Hours, minutes, seconds: 1:02:05; -- where there is no record."""
    if seconds is None:
        return "--"
    minutes, left = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"
