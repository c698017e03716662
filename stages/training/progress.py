"""Progress of a transformers Trainer, and its log without the clock."""

import sys
import time
from typing import Any


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
