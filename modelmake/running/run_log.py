"""The run log of this machine: a JSON line for each run of a stage. It is part of no artifact."""

from pathlib import Path
from typing import Any

from modelmake.running import jsonl_log, state_dir

FILE = "runs.jsonl"  # in the state folder
Run = dict[str, Any]  # a line of the log


def path(root: Path) -> Path:
    return state_dir.folder(root) / FILE


def append(root: Path, run: Run) -> None:
    """Adds a run.

    Raises:
        OSError: the disk is full, or the folder is not writable.
    """
    jsonl_log.append(path(root), [run])


def finished(root: Path) -> dict[str, list[Run]]:
    """{stage: its finished runs, oldest first}, without runs that did not record inputs and outputs."""
    result: dict[str, list[Run]] = {}
    for run in read(root):
        if run.get("outcome") == "done" and "identity" in run and "outs" in run:
            result.setdefault(run["stage"], []).append(run)
    return result


def alike(runs: list[Run], identity: str, outs: dict[str, str]) -> tuple[list[Run], list[Run], Run | None]:
    """(runs with these inputs, runs with these outputs, the last with both), of the finished runs of a stage."""
    same_inputs = [run for run in runs if run["identity"] == identity]
    same_outputs = [run for run in runs if run["outs"] == outs]
    return same_inputs, same_outputs, next((run for run in reversed(same_inputs) if run in same_outputs), None)


def read(root: Path) -> list[Run]:
    """Every run, oldest first."""
    return jsonl_log.read(path(root))
