"""Watches the loss and the gradient norm of every optimizer step: what is told, and what ends a step of training.

- A loss or gradient norm that is not finite ends it at once, before the optimizer uses it. transformers would log the
  average of the losses before in its place and train on.
- A step whose gradient norm is 0 trains nothing: it is told with its rows. If no step trains anything, training fails.
- A jump: the loss of a step is JUMP_DEVIATIONS median absolute deviations and LEAST_RISE above the median of the steps
  before. It is told with the rows of the step, and noted in the log.
- Divergence: a logged loss is DIVERGED times the median of the logged ones before and LEAST_RISE above the first.
- Overfitting: the evaluation loss has risen OVERFITTED_EVALUATIONS times in a row, while the loss fell.

The last two end training where `stop_on` names them. Nothing here depends on the clock, and what was seen is part of a
checkpoint.
"""

import itertools
import math
import statistics
from pathlib import Path
from typing import Any, NamedTuple

from modelmake.errors import UserError
from stages.training import processes

JUMP_DEVIATIONS, JUMP_STEPS, FEWEST_STEPS = 8, 50, 10  # steps before that count, at most and at least
DIVERGED, DIVERGED_LOGS, FEWEST_LOGS = 3, 10, 3
LEAST_RISE = 0.1  # of a loss; less is noise, as around the 0 of GRPO
OVERFITTED_EVALUATIONS = 3
SHOWN_ROWS, SHOWN_STEPS = 8, 5


class Jump(NamedTuple):
    step: int
    loss: float
    median: float  # of the steps before
    ids: list[str]  # of the rows in the step


def jumps(loss: float, before: list[float]) -> bool:
    """Whether the loss of a step is far above those of the steps before."""
    if len(before) < FEWEST_STEPS:
        return False
    median = statistics.median(before)
    deviation = statistics.median(abs(value - median) for value in before)
    return loss > median + max(JUMP_DEVIATIONS * deviation, LEAST_RISE)


def diverges(losses: list[float]) -> bool:
    """Whether the last logged loss is far above those before, and above the first."""
    *before, last = losses
    if len(before) < FEWEST_LOGS:
        return False
    return last > DIVERGED * statistics.median(before[-DIVERGED_LOGS:]) and last > before[0] + LEAST_RISE


def overfits(history: list[dict[str, Any]]) -> bool:
    """Whether the evaluation loss rose with each of the last evaluations, while the loss fell."""
    evaluated = [(entry["step"], entry["eval_loss"]) for entry in history if "eval_loss" in entry]
    last = evaluated[-OVERFITTED_EVALUATIONS - 1 :]
    if len(last) <= OVERFITTED_EVALUATIONS or any(b[1] <= a[1] for a, b in itertools.pairwise(last)):
        return False
    losses = [(entry["step"], entry["loss"]) for entry in history if "loss" in entry]
    before = [loss for step, loss in losses if step <= last[0][0]]
    return bool(before) and losses[-1][1] < before[-1]


def shown(ids: list[str]) -> str:
    """The first ids, and how many more there are."""
    more = f" and {len(ids) - SHOWN_ROWS} more" if len(ids) > SHOWN_ROWS else ""
    return ", ".join(ids[:SHOWN_ROWS]) + more


def watched(trainer_class: type) -> type:
    """Subclass of `trainer_class` that passes the loss and the gradient norm of each step to its attribute `watch`."""

    class WatchedTrainer(trainer_class):
        watch: "Watch | None" = None

        def training_step(self, *args: Any, **kwargs: Any) -> Any:
            loss = super().training_step(*args, **kwargs)
            if self.watch:
                self.watch.see_loss(processes.mean(float(loss)))
            return loss

        def _clip_grad_norm(self, model: Any) -> Any:
            norm = super()._clip_grad_norm(model)
            if self.watch:
                self.watch.see_gradient_norm(float(norm))
            return norm

    return WatchedTrainer


class Watch:
    """What one training shows. `losses`, of the last steps, `jumps` and `idle` are part of a checkpoint."""

    def __init__(self, trainer: Any, where: str, ids: list[str], stop_on: list[str]) -> None:
        self.trainer, self.where, self.ids, self.stop_on = trainer, where, ids, stop_on
        self.losses: list[float] = []
        self.jumps: list[Jump] = []
        self.idle = 0  # steps that trained nothing
        self.loss = 0.0  # of the micro-batches of this step so far

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps of this."""
        return {"losses": self.losses, "jumps": self.jumps, "idle": self.idle}

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on from what a checkpoint has kept."""
        self.losses, self.jumps = state["losses"], [Jump(*jump) for jump in state["jumps"]]
        self.idle = state["idle"]

    def see_loss(self, loss: float) -> None:
        """Takes the loss of a micro-batch.

        Raises:
            UserError: it is not finite.
        """
        self._check_finite("loss", loss)
        self.loss += loss

    def see_gradient_norm(self, norm: float) -> None:
        """Takes the gradient norm of a step, all of whose micro-batches were seen.

        Raises:
            UserError: it is not finite.
        """
        self._check_finite("gradient norm", norm)
        if norm == 0:
            self.idle += 1
            if self.idle <= SHOWN_STEPS:
                rows = shown(self._ids())
                print(f"  step {self._step()}: trains nothing, its gradient is 0; its rows: {rows}", flush=True)
        if jumps(self.loss, self.losses):
            median = statistics.median(self.losses)
            jump = Jump(self._step(), self.loss, median, self._ids())
            self.jumps.append(jump)
            print(
                f"  step {jump.step}: the loss jumps to {jump.loss:.4f}, from a median of {median:.4f} in the "
                f"{len(self.losses)} steps before; its rows: {shown(jump.ids)}",
                flush=True,
            )
        self.losses = [*self.losses, self.loss][-JUMP_STEPS:]
        self.loss = 0.0

    def see_history(self, history: list[dict[str, Any]]) -> None:
        """Takes the log history after a new entry.

        Raises:
            UserError: the evaluation loss is not finite; or the history shows what `stop_on` names.
        """
        entry = history[-1]
        if "eval_loss" in entry and not math.isfinite(entry["eval_loss"]):
            raise UserError(
                f"{self.where}: step {entry['step']}: the evaluation loss is {entry['eval_loss']}: nothing published; "
                "lower learning_rate"
            )
        if "loss" in entry and diverges([e["loss"] for e in history if "loss" in e]):
            self._trouble("divergence", f"the loss diverges: {entry['loss']:.4f}", "lower learning_rate")
        if "eval_loss" in entry and overfits(history):
            found = (
                f"eval_loss rose {OVERFITTED_EVALUATIONS} times in a row, to {entry['eval_loss']:.4f}, while loss fell"
            )
            self._trouble("overfitting", found, "train for fewer epochs, or declare `best`")

    def see_end(self) -> None:
        """Checks that something was trained.

        Raises:
            UserError: no step trained anything.
        """
        if self.idle == self.trainer.state.global_step:
            raise UserError(
                f"{self.where}: the gradient was 0 in all {self.idle} steps: nothing was trained, nothing published; "
                "look at the rows, their masks and the weights that the step trains"
            )

    def _trouble(self, kind: str, found: str, advice: str) -> None:
        step = self.trainer.state.global_step
        if kind in self.stop_on:
            raise UserError(
                f"{self.where}: step {step}: {found}: ended, as stop_on names {kind}, nothing published; {advice}"
            )
        print(f"  step {step}: {found}; {advice}", flush=True)

    def _check_finite(self, what: str, value: float) -> None:
        if math.isfinite(value):
            return
        folder = Path(self.trainer.args.output_dir)
        checkpoints = sorted(int(path.name.partition("-")[2]) for path in folder.glob("checkpoint-*"))
        kept = f"; the checkpoint of step {checkpoints[-1]} is kept" if checkpoints else ""
        raise UserError(
            f"{self.where}: step {self._step()}: the {what} is {value} (rows {shown(self._ids())}): nothing "
            f"published{kept}; lower learning_rate or max_grad_norm, or look at the rows"
        )

    def _step(self) -> int:
        """The number of the step that is under way."""
        return self.trainer.state.global_step + 1

    def _ids(self) -> list[str]:
        """The rows of the step that is under way."""
        return [self.ids[i] for step, rows in self.trainer.consumed if step == self._step() for i in rows]


def attach(trainer: Any, where: str, ids: list[str], stop_on: list[str]) -> None:
    """Makes a trainer watched. `ids` are those of its rows; `where` begins what is told."""
    from transformers import TrainerCallback

    trainer.watch = Watch(trainer, where, ids, stop_on)

    class SeeHistory(TrainerCallback):
        def on_log(self, args, state, control, logs=None, **_):
            if {"loss", "eval_loss"} & (logs or {}).keys():
                trainer.watch.see_history(state.log_history)

        def on_train_end(self, args, state, control, **_):
            trainer.watch.see_end()

    trainer.add_callback(SeeHistory())
