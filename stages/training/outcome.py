"""What a training has done, for its log, its list of consumed rows, and its line."""

from typing import Any, NamedTuple

from stages.params.training import Step
from stages.rows import accounting
from stages.training import progress
from stages.training.kept_rows import Kept

LONGER = {"truncate": "truncated", "split": "split"}  # what became of rows above max_length that stay


class Outcome(NamedTuple):
    params: Step
    kept: Kept
    held_out: Kept
    trainer: Any  # at its end
    best: dict[str, Any] | None  # {step, <metric>: value} of the weights that are kept; None: those of the last step
    answers_itself: bool  # whether the rows' prompts alone are read

    @property
    def steps(self) -> int:
        return self.trainer.state.global_step

    def batches(self) -> list[dict[str, Any]]:
        """{step, ids} of each micro-batch; what came after the step that is kept is in no weight."""
        last = self.best["step"] if self.best else self.steps
        return [
            {"step": number, "ids": [self.kept.rows[i].id for i in rows]}
            for number, rows in self.trainer.consumed
            if number <= last
        ]

    def groups(self) -> dict[str, int]:
        """Of answers of the model itself, how many groups were sampled, and how many of them had equal rewards."""
        return self.trainer.groups() if self.answers_itself else {}

    def history(self) -> list[dict[str, Any]]:
        return progress.history(self.trainer.state.log_history)

    def log(self) -> dict[str, Any]:
        """As the stage writes it."""
        kept, watch = self.kept, self.trainer.watch
        long = {"over_long": [], "split": []}
        long["split" if self.params.over_long == "split" else "over_long"] = kept.over_long
        return {
            **kept.account(self.params), **self.groups(), **long, "untrained": kept.untrained, "tokens": kept.counts(),
            "val": self.held_out.account(self.params), "val_tokens": self.held_out.counts(), "steps": self.steps,
            "best": self.best, "jumps": [jump._asdict() for jump in watch.jumps], "idle": watch.idle,
            "history": self.history(),
        }  # fmt: skip

    def line(self) -> str:
        """The stage's summary."""
        params, kept, steps = self.params, self.kept, self.steps
        notes = f", {len(kept.over_long)} {LONGER[params.over_long]}" if params.over_long in LONGER else ""
        if groups := self.groups():
            equal = f"{groups['equal_groups']} of {groups['groups']}"
            notes += f"; {equal} groups of answers had equal rewards: nothing learned"
        else:
            notes += f"; {kept.counts()['trained']:,} of {kept.counts()['total']:,} tokens trained"
        if idle := self.trainer.watch.idle:
            notes += f"; {idle} steps trained nothing"
        if self.best:
            metric = params.best.metric
            notes += f"; kept step {self.best['step']} of {steps}, {metric} {self.best[metric]:.4f}"
        val = self.held_out.account(params)
        notes += f"; val: {accounting.summary(val)}" if val["dropped"] else ""
        measure = "reward" if self.answers_itself else "loss"
        if not self.held_out.rows:
            notes += f"; no val rows, so no eval_{measure}"
        n_consumed = len({id for batch in self.batches() for id in batch["ids"]})
        counts = accounting.summary(kept.account(params))
        return f"{counts}{notes}; {n_consumed} consumed in {steps} steps; {change(self.history(), measure)}"


def change(history: list[dict[str, Any]], measure: str) -> str:
    """The first and the last logged loss or reward."""
    values = [entry[measure] for entry in history if measure in entry]
    if not values:
        return f"fewer steps than logging_steps: no {measure} logged"
    return f"{measure} {values[0]:.3f} -> {values[-1]:.3f}"
