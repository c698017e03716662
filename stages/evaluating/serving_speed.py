"""How fast a quantized file is in its runtime on this machine, and how much memory it takes there.

These are facts of a run: they go to a log of this machine, in the stage's archive, and into no artifact.
"""

import contextlib
import json
import time
from pathlib import Path
from typing import Any

FILE = "serving.jsonl"  # in the archive of the stage


class Watch:
    """Seconds and memory since it was made."""

    def __init__(self) -> None:
        self._begun, self._held = time.perf_counter(), _held_mib()

    def seconds(self) -> float:
        return round(time.perf_counter() - self._begun, 4)

    def mib(self) -> int:
        """Memory that this process holds more than it did."""
        return _held_mib() - self._held


def log(archive: Path, quant: str, found: dict[str, Any]) -> None:
    """Adds {quant, …, when} to the log of this machine, and prints it. Without room for the log it is only printed."""
    print("  " + ", ".join(f"{name} {value:g}" for name, value in found.items()), flush=True)
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    with contextlib.suppress(OSError), (archive / FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"quant": quant, **found, "when": when}) + "\n")


def _held_mib() -> int:
    import psutil

    return psutil.Process().memory_info().rss >> 20
