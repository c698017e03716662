"""The run log of this machine: a JSON line for each run of a stage. It is part of no artifact."""

import contextlib
import json
from pathlib import Path
from typing import Any

from modelmake.running import state_dir

FILE = "runs.jsonl"  # in the state folder


def path(root: Path) -> Path:
    return state_dir.folder(root) / FILE


def append(root: Path, run: dict[str, Any]) -> None:
    """Adds a run.

    Raises:
        OSError: the disk is full, or the folder cannot be written to.
    """
    file = path(root)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as log:
        log.write(json.dumps(run) + "\n")


def read(root: Path) -> list[dict[str, Any]]:
    """Every run, oldest first. A line that a full disk or a loss of power cut short is left out."""
    file = path(root)
    runs = []
    for line in file.read_text("utf-8").splitlines() if file.is_file() else ():
        with contextlib.suppress(json.JSONDecodeError):
            runs.append(json.loads(line))
    return runs
