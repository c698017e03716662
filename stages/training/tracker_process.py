"""The process of one tracker: reads {"step": n, "values": {name: number}} a line, and sends them.

    python stages/training/tracker_process.py TRACKER WHERE NAME

It runs in the environment of the tracker, `envs/<tracker>`, which tracker_env.py builds; the project is not in it.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

Log = Callable[[dict[str, float], int], object]  # takes values and their step
PROJECT = "modelmake"  # what MLflow calls an experiment and W&B a project


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


def mlflow(where: str, name: str) -> tuple[Log, Callable[[], object]]:
    """A run in an SQLite file, whatever MLFLOW_TRACKING_URI or a folder ./mlruns would make the default."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    from mlflow import MlflowClient
    from mlflow.entities import Metric

    client = MlflowClient(f"sqlite:///{where}/mlflow.db")
    experiment = client.get_experiment_by_name(PROJECT)
    experiment_id = experiment.experiment_id if experiment else client.create_experiment(PROJECT, f"{where}/artifacts")
    run = client.create_run(experiment_id, run_name=name).info.run_id

    def log(values: dict[str, float], step: int) -> None:
        now = round(time.time() * 1000)
        client.log_batch(run, [Metric(key, value, now, step) for key, value in values.items()])

    return log, lambda: client.set_terminated(run)


def wandb(where: str, name: str) -> tuple[Log, Callable[[], object]]:
    """A run in files that `wandb sync` sends; nothing is sent from here, whatever WANDB_MODE says."""
    os.environ["WANDB_ERROR_REPORTING"] = "false"
    from wandb import Settings, init

    settings = Settings(
        console="off", disable_code=True, disable_git=True, silent=True, x_disable_meta=True, x_disable_stats=True
    )
    run = init(project=PROJECT, name=name, dir=where, mode="offline", settings=settings)
    return lambda values, step: run.log(values, step=step), run.finish


def main() -> None:
    tracker, where, name = sys.argv[1:]
    sys.path.pop(0)  # this folder, whose modules are not those that a tracker means by their names
    os.makedirs(where, exist_ok=True)
    os.chdir(where)
    log, close = {"dvclive": dvclive, "mlflow": mlflow, "tensorboard": tensorboard, "wandb": wandb}[tracker](
        where, name
    )
    for line in sys.stdin:
        entry = json.loads(line)
        log(entry["values"], entry["step"])
    close()


if __name__ == "__main__":
    main()
