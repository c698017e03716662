"""What ends training, what is told, and with which rows: planted losses, gradients and histories."""

import json
import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from modelmake.errors import UserError
from stages.rows import jsonl
from stages.training import progress, resume, watching
from tests.tiny_models import build_model
from tests.training.test_resume import STEPS, run_stage, write_rows

QUIET = [1.0, 1.1, 0.9, 1.05, 0.95, 1.0, 1.1, 0.9, 1.0, 1.0]  # median 1.0, deviation 0.05


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch):
    """Changes the trainer before it trains: `plant(change)` with `change(trainer)`."""

    def plant(change) -> None:
        attach = progress.attach

        def changed(trainer, *rest) -> None:
            attach(trainer, *rest)
            change(trainer)

        monkeypatch.setattr(progress, "attach", changed)

    return plant


def scaled_loss(at: int, factor: float):
    """Multiplies the loss of one step, and thereby its gradients."""

    def change(trainer) -> None:
        compute = trainer.compute_loss

        def planted_loss(*args, **kwargs):
            loss = compute(*args, **kwargs)
            if trainer.state.global_step + 1 != at or not trainer.model.training:
                return loss
            return (loss[0] * factor, *loss[1:]) if isinstance(loss, tuple) else loss * factor

        trainer.compute_loss = planted_loss

    return change


def test_a_loss_jumps_where_it_is_far_above_the_steps_before() -> None:
    assert watching.jumps(1.41, QUIET)  # 8 deviations are 0.4
    assert not watching.jumps(1.39, QUIET)
    assert not watching.jumps(9.0, QUIET[:9])  # too few steps to tell
    assert not watching.jumps(0.09, [0.0] * 20)  # noise around nothing
    assert watching.jumps(0.11, [0.0] * 20)


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        ([2.0, 1.0, 1.0, 3.1], True),
        ([2.0, 1.0, 1.0, 2.9], False),  # below three times the median
        ([9.0, 1.0, 1.0, 3.1], False),  # still below the first
        ([1.0, 1.0, 9.0], False),  # too few to tell
        ([0.0, 0.0, 0.0, 0.05], False),  # noise
    ],
)
def test_a_loss_diverges_where_it_is_a_multiple_of_those_before_and_above_the_first(losses, expected) -> None:
    assert watching.diverges(losses) is expected


def history(losses: list[float], evaluations: list[float]) -> list[dict]:
    return [
        entry
        for step, (loss, evaluation) in enumerate(zip(losses, evaluations, strict=True), 1)
        for entry in ({"step": step, "loss": loss}, {"step": step, "eval_loss": evaluation})
    ]


@pytest.mark.parametrize(
    ("losses", "evaluations", "expected"),
    [
        ([4.0, 3.0, 2.0, 1.0], [1.0, 1.1, 1.2, 1.3], True),
        ([4.0, 3.0, 2.0, 1.0], [1.0, 1.1, 1.1, 1.3], False),
        ([3.0, 2.0, 1.0], [1.0, 1.1, 1.2], False),  # two rises
        ([1.0, 2.0, 3.0, 4.0], [1.0, 1.1, 1.2, 1.3], False),  # the loss rises too: no overfitting
    ],
)
def test_overfitting_is_an_evaluation_loss_that_rises_while_the_loss_falls(losses, evaluations, expected) -> None:
    assert watching.overfits(history(losses, evaluations)) is expected


def test_a_loss_that_is_not_finite_ends_training_with_the_rows_of_its_step(
    model: Path, tmp_path: Path, planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resume, "CHECKPOINT_INTERVAL", 0)
    params = STEPS["sft, all weights"]
    files = write_rows(tmp_path, "chat")
    whole = run_stage(model, tmp_path / "whole", files, tmp_path / "c1", params)
    consumed = [json.loads(line) for line in whole["consumed.jsonl"].splitlines()]
    first_of_step = next(batch["ids"] for batch in consumed if batch["step"] == 6)
    planted(scaled_loss(6, float("nan")))

    with pytest.raises(UserError) as error:
        run_stage(model, tmp_path / "out", files, tmp_path / "c2", params)

    assert str(error.value) == (
        f"train.step: step 6: the loss is nan (rows {', '.join(first_of_step)}): nothing published; the checkpoint of "
        "step 4 is kept; lower learning_rate or max_grad_norm, or look at the rows"
    )
    assert not (tmp_path / "out/trained").exists()
    monkeypatch.undo()
    monkeypatch.setattr(resume, "CHECKPOINT_INTERVAL", 0)
    assert run_stage(model, tmp_path / "again", files, tmp_path / "c2", params) == whole  # from the checkpoint


def test_a_gradient_that_is_not_finite_ends_training_before_the_optimizer_takes_it(
    model: Path, tmp_path: Path, planted
) -> None:
    def spoil(trainer) -> None:
        def hook(gradient):
            return gradient * float("nan") if trainer.state.global_step + 1 == 3 else gradient

        next(p for p in trainer.model.parameters() if p.requires_grad).register_hook(hook)

    planted(spoil)

    with pytest.raises(UserError, match=r"^train.step: step 3: the gradient norm is nan \(rows \w+, .*\): nothing p"):
        run_stage(model, tmp_path / "out", write_rows(tmp_path, "chat"), tmp_path / "c", STEPS["sft, all weights"])


def masked_until(last: int):
    """Masks all tokens of the batches up to a step. `train` itself drops rows of which nothing is trained."""

    def change(trainer) -> None:
        collate = trainer.data_collator

        def masked(examples):
            batch = collate(examples)
            if trainer.state.global_step < last:
                batch["labels"][:] = -100
            return batch

        trainer.data_collator = masked

    return change


def test_a_step_of_masked_tokens_alone_is_told_with_its_rows(
    model: Path, tmp_path: Path, planted, capsys: pytest.CaptureFixture[str]
) -> None:
    planted(masked_until(1))

    outputs = run_stage(
        model, tmp_path / "out", write_rows(tmp_path, "chat"), tmp_path / "c", STEPS["sft, all weights"]
    )

    ids = [i for line in outputs["consumed.jsonl"].splitlines()[:2] for i in json.loads(line)["ids"]]
    assert f"  step 1: trains nothing, its gradient is 0; its rows: {', '.join(ids)}\n" in capsys.readouterr().out
    assert json.loads(outputs["log.json"])["idle"] == 1


def test_a_training_of_masked_tokens_alone_fails(model: Path, tmp_path: Path, planted) -> None:
    planted(masked_until(99))

    with pytest.raises(UserError, match=r"^train.step: the gradient was 0 in all 9 steps: nothing was trained"):
        run_stage(model, tmp_path / "out", write_rows(tmp_path, "chat"), tmp_path / "c", STEPS["sft, all weights"])


def test_a_jump_is_told_and_noted_with_its_rows_and_divergence_ends_training_where_declared(
    model: Path, tmp_path: Path, planted, capsys: pytest.CaptureFixture[str]
) -> None:
    params = replace(STEPS["sft, all weights"], num_train_epochs=5, logging_steps=1)
    files = write_rows(tmp_path, "chat")
    planted(scaled_loss(14, 4.0))

    outputs = run_stage(model, tmp_path / "out", files, tmp_path / "c1", params)

    [jump] = json.loads(outputs["log.json"])["jumps"]
    consumed = [json.loads(line) for line in outputs["consumed.jsonl"].splitlines()]
    assert jump["step"] == 14
    assert jump["loss"] > 3 * jump["median"]
    assert jump["ids"] == [i for batch in consumed if batch["step"] == 14 for i in batch["ids"]]
    assert set(jump["ids"]) <= {row.id for row in jsonl.read(files[0])}
    told = capsys.readouterr().out
    assert f"  step 14: the loss jumps to {jump['loss']:.4f}, from a median of {jump['median']:.4f} in the 13" in told
    assert f"; its rows: {', '.join(jump['ids'])}\n" in told
    assert "  step 14: the loss diverges: " in told

    with pytest.raises(UserError, match=r"^train.step: step 14: the loss diverges: .*: ended, as stop_on names diverg"):
        run_stage(model, tmp_path / "ended", files, tmp_path / "c2", replace(params, stop_on=["divergence"]))


def test_a_line_of_progress_has_loss_rate_norm_speed_and_time_left(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_stage(model, tmp_path / "out", write_rows(tmp_path, "chat"), tmp_path / "c", STEPS["sft, all weights"])

    lines = capsys.readouterr().out.splitlines()
    number = r"[0-9.e+-]+"
    wanted = rf"  step 4/9: loss {number}, learning rate {number}, gradient norm {number}; \d+ tokens/s, \d+ s left"
    assert [line for line in lines if re.fullmatch(wanted, line)]
