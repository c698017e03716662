"""The process of one tracker: reads {"step": n, "values": {name: number}} a line, and sends them.

    python -m stages.training.tracker_process TRACKER WHERE NAME

The tracker's package has to be installed beside the others; no lock holds it.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

Log = Callable[[dict[str, float], int], object]  # takes values and their step


def tensorboard(where: str, name: str) -> tuple[Log, Callable[[], object]]:
    """Event files in a folder."""
    from tensorboard.summary import Writer

    writer = Writer(str(Path(where) / name))
    return lambda values, step: [writer.add_scalar(key, value, step) for key, value in values.items()], writer.close


def dvclive(where: str, name: str) -> tuple[Log, Callable[[], object]]:
    """Tables in a folder; dvc.yaml stays as it is."""
    from dvclive import Live

    live = Live(dir=str(Path(where) / name), dvcyaml=None, save_dvc_exp=False, report=None)

    def log(values: dict[str, float], step: int) -> None:
        live.step = step
        for key, value in values.items():
            live.log_metric(key, value)
        live.make_summary()

    return log, live.end


def main() -> None:
    tracker, where, name = sys.argv[1:]
    log, close = {"dvclive": dvclive, "tensorboard": tensorboard}[tracker](where, name)
    for line in sys.stdin:
        entry = json.loads(line)
        log(entry["values"], entry["step"])
    close()


if __name__ == "__main__":
    main()
