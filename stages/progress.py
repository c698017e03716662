"""Progress of what takes long: bars in a terminal, plain lines in a log."""

import sys
import time
from typing import Any

EVERY_S = 30  # a line in a log


def attach(trainer: Any) -> None:
    """Gives a transformers Trainer plain lines with the time left, where there are no bars."""
    from transformers import PrinterCallback, TrainerCallback

    class PlainLines(TrainerCallback):
        def on_train_begin(self, args, state, control, **_):
            self.started, self.first = time.monotonic(), state.global_step

        def on_log(self, args, state, control, logs=None, **_):
            shown = {name: logs[name] for name in ("loss", "eval_loss") if name in (logs or {})}
            if shown and state.global_step:
                per_step = (time.monotonic() - self.started) / max(1, state.global_step - self.first)
                left_s = per_step * (state.max_steps - state.global_step)
                values = ", ".join(f"{name} {float(value):.4f}" for name, value in shown.items())
                print(f"  step {state.global_step}/{state.max_steps}: {values}; {left_s:.0f} s left", flush=True)

    if not sys.stderr.isatty():
        trainer.remove_callback(PrinterCallback)
        trainer.add_callback(PlainLines)


def history(log_history: list[dict]) -> list[dict]:
    """The trainer's log without what depends on the clock, and in an order that a checkpoint does not change."""
    clocked = ("runtime", "per_second", "total_flos")
    return [
        {name: value for name, value in sorted(entry.items()) if not any(word in name for word in clocked)}
        for entry in log_history
        if "train_runtime" not in entry
    ]


class Count:
    """How far a long loop is: a bar in a terminal, a line every half minute in a log."""

    def __init__(self, total: int, what: str, unit: str) -> None:
        from tqdm import tqdm

        self.bar = tqdm(total=total, desc=what, unit=unit, disable=None)
        self.done, self.total, self.what, self.unit = 0, total, what, unit
        self.started = self.told = time.monotonic()

    def add(self, n: int) -> None:
        """So many more are done."""
        self.done += n
        self.bar.update(n)
        now = time.monotonic()
        if self.bar.disable and now - self.told >= EVERY_S:
            left_s = (now - self.started) / self.done * (self.total - self.done)
            print(f"  {self.what} {self.done}/{self.total} {self.unit}; {left_s:.0f} s left", flush=True)
            self.told = now
