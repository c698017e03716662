"""Progress lines of a transformers Trainer, and its log history without timings."""

import sys
import time
from typing import Any

LOGGED = ("loss", "eval_loss", "reward", "reward_std", "eval_reward")


def attach(trainer: Any) -> None:
    """Makes the trainer print each logged loss with the time left, where stderr is no terminal and shows no bar."""
    from transformers import PrinterCallback, TrainerCallback

    class PlainLines(TrainerCallback):
        def on_train_begin(self, args, state, control, **_):
            self.started_s, self.first_step = time.monotonic(), state.global_step

        def on_log(self, args, state, control, logs=None, **_):
            losses = {name: logs[name] for name in LOGGED if name in (logs or {})}
            if losses and state.global_step:
                per_step_s = (time.monotonic() - self.started_s) / max(1, state.global_step - self.first_step)
                left_s = per_step_s * (state.max_steps - state.global_step)
                values = ", ".join(f"{name} {float(value):.4f}" for name, value in losses.items())
                print(f"  step {state.global_step}/{state.max_steps}: {values}; {left_s:.0f} s left", flush=True)

    if not sys.stderr.isatty():
        trainer.remove_callback(PrinterCallback)
        trainer.add_callback(PlainLines)


def history(log_history: list[dict]) -> list[dict]:
    """The trainer's log history, keys sorted, without run times, rates and FLOPs.

    Those depend on the clock, and on whether training was resumed from a checkpoint.
    """
    excluded = ("runtime", "per_second", "total_flos", "step_time")
    return [
        {name: value for name, value in sorted(entry.items()) if not any(word in name for word in excluded)}
        for entry in log_history
        if "train_runtime" not in entry
    ]
