"""What a training is given: known, and checked, before its model is loaded."""

import math
from pathlib import Path
from typing import Any, NamedTuple

from modelmake.errors import UserError
from stages.params import schedules
from stages.params.training import Cpt, Kto, OwnAnswers, Step
from stages.training import packing, task_types
from stages.training.kept_rows import Kept


class Given(NamedTuple):
    start: Path  # folder of the model that it starts from
    second_model: Path
    tokenizer: Any
    kept: Kept
    held_out: Kept

    def outline(self, params: Step) -> Any:
        """The start model without content: its modules and the names of its weights."""
        return task_types.outline(params.TASK_TYPE, self.start)


def examples(params: Step, kept: Kept) -> int:
    """How many examples an epoch has: rows, blocks or pieces of texts, or answers."""
    lengths = [len(side.ids) for sides in kept.sides for side in sides]
    if isinstance(params, Cpt) and params.packing:
        return len(packing.blocks(lengths, params.max_length))
    return len(lengths) if isinstance(params, Cpt | Kto) else len(kept.rows)


def steps(params: Step, n_examples: int) -> int:
    """How many optimizer steps a training has, as transformers and TRL count them."""
    batch = params.per_device_train_batch_size * params.processes
    accumulated = params.gradient_accumulation_steps
    if isinstance(params, OwnAnswers):  # a last batch that is not full is left out
        each_epoch = n_examples // (batch * accumulated // params.num_generations)
    else:
        each_epoch = max(1, math.ceil(math.ceil(n_examples / batch) / accumulated))
    return math.ceil(params.num_train_epochs * each_epoch)


def check(given: Given, params: Step, where: str) -> None:
    """Checks that the training has room for what is declared of its steps, and rows to evaluate where it has to.

    Raises:
        UserError: it has not.
    """
    n_steps = steps(params, examples(params, given.kept))
    problems = schedules.step_problems(
        params.lr_scheduler_type, params.lr_scheduler_kwargs, params.warmup_steps, n_steps
    )
    problems += params.weights.step_problems(n_steps)
    if params.best and not given.held_out.rows:
        problems.append("best: there are no val rows to evaluate: want some, or write `best: null`")
    if problems:
        raise UserError("\n".join(f"{where}.{problem}" for problem in problems))
