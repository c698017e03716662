"""Sends what a training logs to trackers, as the environment variable MODELMAKE_TRACK asks for.

It is no parameter and in no key: what is trained is the same with or without. A tracker runs in a process and an
environment of its own (tracker_process.py, envs/<tracker>) and reads lines of JSON. Training does not need it.
"""

import json
import subprocess
import sys
from typing import Any

from modelmake.errors import UserError

VARIABLE = "MODELMAKE_TRACK"  # <tracker>=<where>, several with spaces between them
TRACKERS = ("dvclive", "mlflow", "tensorboard", "wandb")


def wanted(setting: str) -> dict[str, str]:
    """{tracker: where it writes}.

    Raises:
        UserError: a tracker is unknown, or says not where it writes.
    """
    trackers = dict(word.partition("=")[::2] for word in setting.split())
    for name, where in trackers.items():
        if name not in TRACKERS:
            raise UserError(f"{VARIABLE}: {name}: want one of {', '.join(TRACKERS)}")
        if not where.startswith("/"):
            raise UserError(f"{VARIABLE}: {name}={where}: want an absolute path")
    return trackers


def attach(trainer: Any, step: str, trackers: dict[str, str]) -> None:
    """Makes a trainer send its logs to {tracker: where it writes}, under the name `step`."""
    from transformers import TrainerCallback

    for name, where in trackers.items():
        command = [sys.executable, "-m", "stages.training.tracker_env", name, where, step]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)
        trainer.add_callback(_sender(TrainerCallback, name, process))


def _sender(base: type, name: str, process: subprocess.Popen) -> Any:
    class Send(base):
        ended = False

        def on_log(self, args, state, control, logs=None, **_):
            values = {key: value for key, value in (logs or {}).items() if isinstance(value, int | float)}
            try:
                if not self.ended:
                    process.stdin.write(json.dumps({"step": state.global_step, "values": values}) + "\n")
                    process.stdin.flush()
            except OSError:
                self.ended = True
                print(f"  {name}: its process has ended ({process.wait()}): nothing is tracked any more", flush=True)

        def on_train_end(self, args, state, control, **_):
            try:
                process.stdin.close()
            except OSError:
                self.ended = True
            if process.wait() and not self.ended:
                print(f"  {name}: its process failed ({process.returncode}): not all is tracked", flush=True)

    return Send()
