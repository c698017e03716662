"""The weights that are kept are those of the best evaluation, also after a kill and where saves are rarer."""

import json
import shutil
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from modelmake import params
from modelmake.errors import UserError
from stages.params.step_fields import Best
from stages.params.training import Step
from stages.training import best, progress, resume, trainers
from tests.conftest import ROOT
from tests.tiny_models import build_model
from tests.training.test_resume import STEPS, Killed, run_stage, write_rows


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model(tmp_path_factory.mktemp("model"))


def overfitting(patience: int | None) -> Step:
    """A step whose evaluation loss first falls and then rises."""
    return replace(
        STEPS["sft, all weights"], num_train_epochs=10, learning_rate=2e-2, lr_scheduler_type="constant",
        logging_steps=3, eval_steps=2, best=Best("eval_loss", patience),
    )  # fmt: skip


def watched(monkeypatch: pytest.MonkeyPatch, **events) -> None:
    """Adds a callback with `events` ({name: function of (trainer, state)}) to each trainer."""
    attach = progress.attach

    def attaching(trainer, *rest):
        from transformers import TrainerCallback

        def event(function):
            return lambda self, args, state, control, **_: function(trainer, state)

        attach(trainer, *rest)
        trainer.add_callback(type("Events", (TrainerCallback,), {n: event(f) for n, f in events.items()})())

    monkeypatch.setattr(progress, "attach", attaching)


def test_the_first_of_the_best_is_chosen_and_patience_counts_what_comes_after() -> None:
    evaluated = [(2, 3.0), (4, 1.0), (6, 2.0), (8, 1.0)]

    assert best.chosen(evaluated, higher=False) == (4, 1.0)
    assert best.chosen(evaluated, higher=True) == (2, 3.0)
    assert best.patience_ended(evaluated, False, 2)
    assert not best.patience_ended(evaluated, False, 3)
    assert not best.patience_ended(evaluated, False, None)


def test_the_weights_of_the_best_evaluation_are_kept_not_those_of_a_checkpoint_or_of_the_end(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Checkpoints are rarer than evaluations; the last step, which is no multiple of eval_steps, is evaluated too."""
    watched(
        monkeypatch,
        on_evaluate=lambda trainer, state: trainer.model.save_pretrained(tmp_path / f"at{state.global_step}"),
    )
    params = replace(overfitting(None), eval_steps=4)

    outputs = run_stage(model, tmp_path / "out", write_rows(tmp_path, "chat"), tmp_path / "c", params)

    log = json.loads(outputs["log.json"])
    evaluated = {entry["step"]: entry["eval_loss"] for entry in log["history"] if "eval_loss" in entry}
    assert list(evaluated) == [4, 8, 12, 16, 20, 24, 28, 30]
    step = min(evaluated, key=evaluated.get)
    assert log["best"] == {"step": step, "eval_loss": evaluated[step]}
    assert log["steps"] == 30 > step, "the case is one that does not overfit"
    assert outputs["trained/model.safetensors"] == (tmp_path / f"at{step}/model.safetensors").read_bytes()
    consumed = [json.loads(line)["step"] for line in outputs["consumed.jsonl"].splitlines()]
    assert max(consumed) == step, "rows of later steps are in no weight that is kept"


@pytest.mark.parametrize("patience", [None, 2])
def test_a_killed_training_keeps_the_same_step_and_bytes(
    model: Path, tmp_path: Path, patience: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    params, files = overfitting(patience), write_rows(tmp_path, "chat")
    monkeypatch.setattr(resume, "CHECKPOINT_INTERVAL", 0)
    whole = run_stage(model, tmp_path / "once", files, tmp_path / "c1", params)
    log = json.loads(whole["log.json"])
    assert (log["steps"] < 30) == (patience is not None), "patience ends it early"
    kept = log["best"]["step"]

    for at in (kept - 1, kept, kept + 3):
        with monkeypatch.context() as patch:

            def kill(trainer, state, at=at):
                if state.global_step == at:
                    raise Killed

            watched(patch, on_step_begin=kill)
            with pytest.raises(Killed):
                run_stage(model, tmp_path / f"killed{at}", files, tmp_path / "c2", params)

    assert run_stage(model, tmp_path / "again", files, tmp_path / "c2", params) == whole


KILLS = [  # (where, what is about to be called, which time)
    (trainers, "_save", 2), (resume, "_md5s", 2), (resume, "_md5s", 3), (shutil, "rmtree", 4), (shutil, "rmtree", 5),
    (shutil, "rmtree", 6), (shutil, "rmtree", 7),
]  # fmt: skip


def test_the_best_weights_of_the_newest_checkpoint_are_there_wherever_a_kill_comes(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The best folder is renewed before the checkpoint is complete, so both have to be there for a while."""
    params = replace(overfitting(None), num_train_epochs=3, logging_steps=1, eval_steps=1, learning_rate=1e-3)
    files = write_rows(tmp_path, "chat")
    monkeypatch.setattr(resume, "CHECKPOINT_INTERVAL", 0)
    whole = run_stage(model, tmp_path / "once", files, tmp_path / "whole", params)
    evaluated = best.values(json.loads(whole["log.json"])["history"], "eval_loss")
    assert [best.chosen(evaluated[:n], higher=False)[0] for n in range(1, 5)] == [1, 2, 3, 4], "each is the best so far"

    for number, (where, name, time) in enumerate(KILLS):
        folder, call, calls = tmp_path / f"c{number}", getattr(where, name), []
        folder.mkdir()

        def killing(*args, call=call, calls=calls, time=time, **kwargs):
            calls.append(args)
            if len(calls) == time:
                raise Killed
            return call(*args, **kwargs)

        with monkeypatch.context() as patch:
            patch.setattr(where, name, killing)
            with pytest.raises(Killed):
                run_stage(model, tmp_path / f"killed{number}", files, folder, params)

        steps = [int(file.parent.name.partition("-")[2]) for file in folder.glob(f"checkpoint-*/{resume.COMPLETE}")]
        if steps:
            state = json.loads((folder / f"checkpoint-{max(steps)}/trainer_state.json").read_text())
            kept, _ = best.chosen(best.values(state["log_history"], "eval_loss"), higher=False)
            assert (folder / f"best-{kept}/model.safetensors").exists(), (name, time)
        assert run_stage(model, tmp_path / f"again{number}", files, folder, params) == whole, (name, time)


def test_an_adapter_is_kept_by_what_only_preferences_measure(model: Path, tmp_path: Path) -> None:
    params = replace(STEPS["dpo, LoRA"], best=Best("eval_rewards/margins", None))

    outputs = run_stage(model, tmp_path / "out", write_rows(tmp_path, "pair"), tmp_path / "c", params)

    log = json.loads(outputs["log.json"])
    margins = {e["step"]: e["eval_rewards/margins"] for e in log["history"] if "eval_rewards/margins" in e}
    step = max(margins, key=margins.get)
    assert log["best"] == {"step": step, "eval_rewards/margins": margins[step]}
    assert "trained/adapter_model.safetensors" in outputs


def test_best_without_rows_to_evaluate_is_refused_before_the_model_is_loaded(model: Path, tmp_path: Path) -> None:
    train, val = write_rows(tmp_path, "chat")
    val.write_bytes(b"")

    with pytest.raises(UserError, match=r"^train.step.best: there are no val rows to evaluate: want some, or write"):
        run_stage(model, tmp_path / "out", [train, val], tmp_path / "c", overfitting(None))


def test_a_misspelt_metric_is_told_before_training() -> None:
    train = params.load(ROOT / "recipes/default.yaml")["train"]

    def problems(step: str, metric: str) -> list[str]:
        return params.decode(Step, {**train[step], "best": {"metric": metric, "patience": None}}, step)[1]

    assert problems("sft", "eval_los") == ["sft.best.metric = 'eval_los': want one of eval_loss"]
    assert problems("dpo", "eval_rewards/margins") == []
    assert msgspec.convert({"metric": "eval_loss", "patience": 1}, Best).patience == 1
