"""How many steps a training has is known before its model is loaded; test_resume.py holds it against trainings."""

import pytest
from msgspec.structs import replace

from stages.training import given
from tests.training.test_resume import STEPS

SFT, GRPO = STEPS["sft, all weights"], STEPS["grpo, LoRA"]


@pytest.mark.parametrize(
    ("batch", "accumulated", "processes", "epochs", "steps"),
    [(4, 2, 1, 3, 9), (4, 2, 1, 0.5, 2), (4, 1, 1, 3, 15), (4, 2, 2, 3, 6), (4, 1, 2, 3, 9), (64, 4, 2, 3, 3)],
)
def test_the_steps_of_twenty_rows(batch: int, accumulated: int, processes: int, epochs: float, steps: int) -> None:
    params = replace(
        SFT, per_device_train_batch_size=batch, gradient_accumulation_steps=accumulated, processes=processes,
        num_train_epochs=epochs,
    )  # fmt: skip
    assert given.steps(params, 20) == steps


def test_prompts_that_fill_no_step_are_not_counted() -> None:
    params = replace(GRPO, per_device_train_batch_size=4, gradient_accumulation_steps=2, num_generations=2)

    assert given.steps(params, 11) == 2 * params.num_train_epochs, "steps of four prompts"
