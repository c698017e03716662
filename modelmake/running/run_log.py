"""The run log of this machine: a JSON line for each run of a stage. It is part of no artifact."""

from pathlib import Path
from typing import Any

from modelmake.running import jsonl_log, state_dir

FILE = "runs.jsonl"  # in the state folder


def path(root: Path) -> Path:
    return state_dir.folder(root) / FILE


def append(root: Path, run: dict[str, Any]) -> None:
    """Adds a run.

    Raises:
        OSError: the disk is full, or the folder is not writable.
    """
    jsonl_log.append(path(root), [run])


def finished(root: Path) -> dict[str, list[dict[str, Any]]]:
    """{stage: its finished runs, oldest first}, without runs that did not record inputs and outputs."""
    result: dict[str, list[dict[str, Any]]] = {}
    for run in read(root):
        if run.get("outcome") == "done" and "identity" in run and "outs" in run:
            result.setdefault(run["stage"], []).append(run)
    return result


def read(root: Path) -> list[dict[str, Any]]:
    """Every run, oldest first."""
    return jsonl_log.read(path(root))
