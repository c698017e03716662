"""What a run of training logged and saved is held against what its rows give alone."""

import math
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from stages.rows.row import Text, make_row
from stages.twinning import step_checks
from stages.twinning.references import Likelihood
from stages.twinning.step_checks import Run

BATCHES = [(1, ["a", "b"]), (1, ["c"]), (2, ["a", "b"])]
ONE_SIDE = {"a": [Likelihood(2.0, 1)], "b": [Likelihood(4.0, 3)], "c": [Likelihood(9.0, 1)]}
PAIRS = {id: [*sides, Likelihood(10 * sides[0].nats, 1)] for id, sides in ONE_SIDE.items()}


def run(folder: Path = Path(), **logged: float | None) -> Run:
    return Run(folder, BATCHES, [{"step": 1, **logged}, {"step": 2, "loss": 0.5}])


def test_the_loss_of_chats_is_a_mean_over_the_tokens_of_the_step() -> None:
    assert step_checks.expected(run(), ONE_SIDE, {})["loss"] == 3.0  # (2 + 4 + 9) / 5
    assert step_checks.loss_problems(run(loss=3.0), ONE_SIDE, {}, "sft") == []
    assert step_checks.loss_problems(run(loss=3.1), ONE_SIDE, {}, "sft") == [
        "loss of the first step is 3.1000: its rows alone give 3.0000"
    ]


def test_log_probabilities_of_pairs_are_means_of_the_means_of_micro_batches() -> None:
    logged = {"logps/chosen": -6.0, "logps/rejected": -60.0}  # ((2 + 4) / 2 + 9) / 2

    assert step_checks.loss_problems(run(**logged), PAIRS, {}, "dpo") == []
    assert step_checks.loss_problems(run(**logged | {"logps/rejected": -6.0}), PAIRS, {}, "dpo") == [
        "logps/rejected of the first step is -6.0000: its rows alone give -60.0000"
    ]


def test_log_probabilities_of_judged_answers_are_by_judgement() -> None:
    good = {"a": True, "b": False, "c": True}

    assert step_checks.loss_problems(run(**{"logps/chosen": -5.5, "logps/rejected": -4.0}), ONE_SIDE, good, "kto") == []


def test_answers_of_pairs_are_judged_in_the_order_that_kto_reads_them() -> None:
    """The good answers of a and c come first, and the bad one of b."""
    batches = [(1, ["a", "b", "c"]), (1, ["a", "b", "c"])]
    apart, likelihoods, good = step_checks.unpaired(run()._replace(batches=batches), PAIRS, ["a", "b", "c"])

    assert apart.batches == [(1, ["a good", "b bad", "c good"]), (1, ["a bad", "b good", "c bad"])]
    assert step_checks.expected(apart, likelihoods, good)["logps/chosen"] == -4.75  # ((2 + 9) / 2 + 4) / 2
    assert step_checks.expected(apart, likelihoods, good)["logps/rejected"] == -47.5  # (40 + (20 + 90) / 2) / 2


def test_a_method_that_logs_nothing_of_its_rows_proves_no_loss() -> None:
    assert step_checks.proves_loss(run(loss=1.0), "sft")
    assert not step_checks.proves_loss(run(loss=1.0), "dpo")
    assert not step_checks.proves_loss(run(loss=1.0), "grpo")


@pytest.mark.parametrize("logged", [None, math.nan, math.inf])
def test_a_logged_value_that_is_not_finite_is_told(logged: float | None, tmp_path: Path) -> None:
    assert step_checks.not_finite(run(tmp_path, grad_norm=logged)) == "grad_norm of step 1 is no finite number"


def test_a_weight_that_is_not_finite_is_told_with_its_name(tmp_path: Path) -> None:
    save_file({"right": np.ones(2), "wrong": np.array([1, np.nan])}, tmp_path / "model.safetensors")

    assert step_checks.not_finite(run(tmp_path, loss=1.0)) == "wrong has numbers that are not finite after training"


def test_a_row_that_no_step_consumed_is_named() -> None:
    rows = [make_row(Text(text)) for text in ("one", "two")]
    half = Run(Path(), [(1, [rows[0].id])], [])

    assert step_checks.rows_problem(half, rows) == (rows[1].id, "1 of 2 rows are in no step: want each consumed")
    assert step_checks.rows_problem(half, rows[:1]) == ("", "")


def test_files_that_differ_or_are_missing_are_named(tmp_path: Path) -> None:
    for folder, files in (("first", {"same": "1", "other": "2", "gone": "3"}), ("second", {"same": "1", "other": "4"})):
        (tmp_path / folder).mkdir()
        for name, text in files.items():
            (tmp_path / folder / name).write_text(text)

    assert step_checks.different_files(tmp_path / "first", tmp_path / "second") == ["gone", "other"]
