"""Log files of JSON lines. A line cut short by a full disk or a loss of power is skipped when the log is read."""

import contextlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def append(file: Path, records: Iterable[dict[str, Any]]) -> None:
    """Adds a line for each record.

    Raises:
        OSError: the disk is full, or the folder is not writable.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as log:
        log.writelines(json.dumps(record) + "\n" for record in records)


def read(file: Path) -> list[dict[str, Any]]:
    """Every record, oldest first; none if there is no such file."""
    records = []
    for line in file.read_text("utf-8").splitlines() if file.is_file() else ():
        with contextlib.suppress(json.JSONDecodeError):
            records.append(json.loads(line))
    return records
