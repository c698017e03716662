"""Keeps the weights of the step with the best evaluation.

Weights are saved at every evaluation that is better than all before it, into the folder of checkpoints, whenever
checkpoints themselves are made. transformers' `load_best_model_at_end` chooses among checkpoints only: where they are
rarer than evaluations it loads a worse step. Which step is best follows from the log history alone, so that a training
that was killed chooses the same.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from modelmake.errors import UserError
from stages.params.step_fields import Best
from stages.params.training import Step
from stages.training import processes

PREFIX = "best-"


def values(history: list[dict[str, Any]], metric: str) -> list[tuple[int, float]]:
    """(step, value) of every evaluation."""
    return [(entry["step"], entry[metric]) for entry in history if metric in entry]


def chosen(evaluated: list[tuple[int, float]], higher: bool) -> tuple[int, float]:
    """The first of the best evaluations."""
    return min(evaluated, key=lambda entry: -entry[1] if higher else entry[1])


def patience_ended(evaluated: list[tuple[int, float]], higher: bool, patience: int | None) -> bool:
    """Whether as many evaluations came after the best one."""
    step, _ = chosen(evaluated, higher)
    return patience is not None and sum(later > step for later, _ in evaluated) >= patience


def attach(trainer: Any, where: str, params: Step, save: Callable[[Path], None]) -> None:
    """Makes a trainer keep its best weights, by `save`, and end when its patience does."""
    from transformers import TrainerCallback

    best: Best = params.best
    higher, folder = params.EVALUATED[best.metric], Path(trainer.args.output_dir)

    class KeepBest(TrainerCallback):
        saved = False  # whether a checkpoint is made after this step

        def on_step_end(self, args, state, control, **_):
            control.should_evaluate |= state.global_step >= state.max_steps  # the last step is a candidate, too

        def on_evaluate(self, args, state, control, **_):
            evaluated = values(state.log_history, best.metric)
            if not evaluated or evaluated[-1][0] != state.global_step:
                raise UserError(f"{where}.best.metric = {best.metric!r}: the evaluation did not measure it")
            if chosen(evaluated, higher)[0] == state.global_step:
                partial = folder / f".{PREFIX}{state.global_step}"
                if processes.is_first():
                    shutil.rmtree(partial, ignore_errors=True)
                save(partial)
                if processes.is_first():
                    kept = folder / f"{PREFIX}{state.global_step}"
                    shutil.rmtree(kept, ignore_errors=True)  # of a run that was killed
                    partial.rename(kept)
            if patience_ended(evaluated, higher, best.patience):
                control.should_training_stop, control.should_save = True, False  # a checkpoint here would train on

        def on_save(self, args, state, control, **_):
            self.saved = True

        def on_step_begin(self, args, state, control, **_):
            """The checkpoint of the step before is complete by now: weights of worse evaluations are not wanted more.

            Until then a kill goes back to the checkpoint before, whose best weights have to be there.
            """
            evaluated = values(state.log_history, best.metric)
            if self.saved and evaluated and processes.is_first():
                for older in set(folder.glob(f"{PREFIX}*")) - {folder / f"{PREFIX}{chosen(evaluated, higher)[0]}"}:
                    shutil.rmtree(older)
            self.saved = False

    trainer.add_callback(KeepBest())


def take(trainer: Any, params: Step, trained: Path) -> dict[str, Any]:
    """Copies the best weights to `trained`, and returns {step, <metric>: value} of their evaluation."""
    metric = params.best.metric
    step, value = chosen(values(trainer.state.log_history, metric), params.EVALUATED[metric])
    shutil.copytree(Path(trainer.args.output_dir) / f"{PREFIX}{step}", trained)
    return {"step": step, metric: value}
