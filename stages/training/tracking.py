"""Sends what a training logs to trackers, as the environment variable MODELMAKE_TRACK asks for.

It is no parameter and in no key: what is trained is the same with or without. A tracker runs in a process and an
environment of its own (tracker_process.py, envs/<tracker>) and reads lines of JSON. Training does not need it.
"""

import contextlib
import json
import queue
import subprocess
import sys
import threading
import time
from typing import Any

from modelmake.errors import UserError

VARIABLE = "MODELMAKE_TRACK"  # <tracker>=<where>, several with spaces between them
QUEUED = 10_000  # entries that wait for a tracker which is slow, or being installed; more are not sent, and told
END_S = 120.0  # how long a training that has ended waits for a tracker at most
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

    class Track(TrainerCallback):
        def on_log(self, args, state, control, logs=None, **_):
            values = {key: value for key, value in (logs or {}).items() if isinstance(value, int | float)}
            for sender in senders:
                sender.send(state.global_step, values)

        def on_train_end(self, args, state, control, **_):
            for sender in senders:
                sender.end()

    senders = [
        Sender(name, [sys.executable, "-m", "stages.training.tracker_env", name, where, step])
        for name, where in trackers.items()
    ]
    if senders:
        trainer.add_callback(Track())


class Sender:
    """Sends entries to the process of a tracker. A thread does so: training never waits for it but at its end."""

    def __init__(self, name: str, command: list[str], most: int = QUEUED, end_s: float = END_S) -> None:
        self.name, self.end_s = name, end_s
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)
        self.queue: queue.Queue[str | None] = queue.Queue(most)
        self.entries = self.sent = 0
        self.ended = False  # told that the process has
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def send(self, step: int, values: dict[str, float]) -> None:
        """Queues an entry; if as many wait as can be, or the process has ended, it is counted and not sent."""
        self.entries += 1
        with contextlib.suppress(queue.Full):
            self.queue.put_nowait(json.dumps({"step": step, "values": values}) + "\n")
        if not self.ended and self.process.poll() is not None:
            self.ended = True
            print(
                f"  {self.name}: its process has ended ({self.process.returncode}): nothing is tracked any more",
                flush=True,
            )

    def end(self) -> None:
        """Waits `end_s` at most until the tracker has taken what is queued, and tells what it has not."""
        until = time.monotonic() + self.end_s
        try:
            self.queue.put(None, timeout=self.end_s if self.thread.is_alive() else 0)
            self.thread.join(max(0.0, until - time.monotonic()))
            self.process.wait(max(0.0, until - time.monotonic()))
            why = f"failed ({self.process.returncode})" if self.process.returncode else ""
        except (queue.Full, subprocess.TimeoutExpired):
            self.process.kill()
            why = f"did not end in {self.end_s:g} s and was killed" if self.process.wait() < 0 else "has ended"
        if why or self.sent < self.entries:
            lacking = f"{self.entries - self.sent} of {self.entries} entries were not sent"
            found = f"its process {why}: {lacking}, others may be lost" if why else lacking
            print(f"  {self.name}: {found}", flush=True)

    def _run(self) -> None:
        with contextlib.suppress(OSError), self.process.stdin as pipe:
            while (line := self.queue.get()) is not None:
                pipe.write(line)
                pipe.flush()
                self.sent += 1
