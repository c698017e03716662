"""Work in batches whose results are written to a file, so that a killed run does none of them twice."""

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any


def run(
    items: Sequence[Any], batch_size: int, work: Callable[[Sequence[Any]], list[Any]], file: Path
) -> Iterator[tuple[Sequence[Any], list[Any]]]:
    """Each batch with its results, in order; results that `file` holds are read from there.

    `work` maps a batch to plain JSON values. `file` has a line for each finished batch; a kill may have left the last
    line incomplete, and that batch is done again.
    """
    finished: list[list[Any]] = []
    if file.exists():
        lines = file.read_bytes().split(b"\n")[:-1]
        finished = [json.loads(line) for line in lines]
        file.write_bytes(b"".join(line + b"\n" for line in lines))
    if finished:
        print(f"  resumes after {len(finished)} batches", flush=True)
    with file.open("a", encoding="utf-8") as log:
        for number, start in enumerate(range(0, len(items), batch_size)):
            batch = items[start : start + batch_size]
            if number < len(finished):
                yield batch, finished[number]
                continue
            results = work(batch)
            with contextlib.suppress(OSError):  # on a full disk only the chance to resume is lost
                log.write(json.dumps(results) + "\n")
                log.flush()
            yield batch, results
