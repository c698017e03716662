"""Progress lines of a transformers Trainer, and its log history without timings."""

import sys
import time
from collections.abc import Sequence
from typing import Any

LOGGED = ("loss", "eval_loss", "reward", "reward_std", "eval_reward")


def attach(trainer: Any, lengths: Sequence[int] = ()) -> None:
    """Makes the trainer print a line at each log step, where stderr is no terminal and shows no bar.

    It has the losses, learning rate, gradient norm and time left, and tokens a second by the `lengths` of rows.
    """
    from transformers import PrinterCallback, TrainerCallback

    class PlainLines(TrainerCallback):
        def on_train_begin(self, args, state, control, **_):
            self.started_s, self.first_step = time.monotonic(), state.global_step
            self.first_batch = len(trainer.consumed) if lengths else 0

        def on_log(self, args, state, control, logs=None, **_):
            losses = {name: logs[name] for name in LOGGED if name in (logs or {})}
            if losses and state.global_step:
                took_s = time.monotonic() - self.started_s
                per_step_s = took_s / max(1, state.global_step - self.first_step)
                left_s = per_step_s * (state.max_steps - state.global_step)
                values = ", ".join(f"{name} {float(value):.4f}" for name, value in losses.items())
                if "learning_rate" in logs:
                    values += f", learning rate {logs['learning_rate']:.2e}, gradient norm {logs['grad_norm']:.3g}"
                if lengths:
                    n_tokens = sum(lengths[i] for _, rows in trainer.consumed[self.first_batch :] for i in rows)
                    values += f"; {n_tokens / took_s:.0f} tokens/s"
                print(f"  step {state.global_step}/{state.max_steps}: {values}, {left_s:.0f} s left", flush=True)

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
