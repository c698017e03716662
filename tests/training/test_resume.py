"""What goes on after a kill ends with the same bytes as what was never disturbed."""

import json
from pathlib import Path

import pytest

from stages import train
from stages.params.machine import Machine
from stages.params.training import Dpo, Lora, Sft, Step
from stages.rows import jsonl
from stages.rows.row import Chat, Message, Pair, make_row
from stages.training import progress, resume
from tests.exporting.test_gguf import build_model

COMMON = {
    "from_": "base", "seed": 1, "quantization": None, "max_length": 64, "over_long": "drop", "num_train_epochs": 3,
    "per_device_train_batch_size": 4, "gradient_accumulation_steps": 2, "gradient_checkpointing": False,
    "learning_rate": 1e-3, "lr_scheduler_type": "cosine", "warmup_steps": 2, "weight_decay": 0.01, "max_grad_norm": 1.0,
    "logging_steps": 2, "eval_steps": 3,
}  # fmt: skip
LORA = Lora(r=4, lora_alpha=8, lora_dropout=0.2, target_modules="all-linear", use_dora=False)
STEPS = {
    "sft, all weights": Sft(**COMMON, rows="chat", lora=None, assistant_only_loss=False),
    "sft, LoRA with dropout": Sft(**COMMON, rows="chat", lora=LORA, assistant_only_loss=False),
    "dpo, LoRA with dropout": Dpo(
        **COMMON, rows="pair", lora=LORA, beta=0.1, loss_type=["sigmoid", "sft"], loss_weights=[1.0, 1.0]
    ),
}


class Killed(Exception):
    pass


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model(tmp_path_factory.mktemp("model"))


def data(folder: Path, kind: str) -> list[Path]:
    def message(role: str, text: str) -> Message:
        return Message(role, text)

    found = []
    for number in range(24):
        asked = [message("user", "word " * (number % 5 + 1) + str(number))]
        if kind == "chat":
            found.append(make_row(Chat([*asked, message("assistant", f"answer {number}")]), "", ""))
        else:
            good, bad = [message("assistant", f"good {number}")], [message("assistant", f"bad {number}")]
            found.append(make_row(Pair(asked, good, bad), "", ""))
    jsonl.write(folder / "train.jsonl", found[:20])
    jsonl.write(folder / "val.jsonl", found[20:])
    return [folder / "train.jsonl", folder / "val.jsonl"]


def fit(model: Path, made: Path, files: list[Path], checkpoints: Path, params: Step) -> dict[str, bytes]:
    made.mkdir()
    checkpoints.mkdir(exist_ok=True)
    outputs = [made / name for name in ("trained", "consumed.jsonl", "log.json")]
    train.main(model, *files, *outputs, checkpoints, "step", params, Machine("cpu", "float32", 1))
    return {str(p.relative_to(made)): p.read_bytes() for p in sorted(made.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("kind", STEPS)
def test_training_that_was_killed_ends_with_the_same_bytes(
    model: Path, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    params = STEPS[kind]
    files = data(tmp_path, params.rows)
    monkeypatch.setattr(resume, "COST", 0)  # a checkpoint at every log step
    undisturbed = fit(model, tmp_path / "once", files, tmp_path / "c1", params)
    assert len(undisturbed["consumed.jsonl"].splitlines()) >= 15, "of 3 epochs"
    attach = progress.attach

    def killing(trainer):
        from transformers import TrainerCallback

        class Kill(TrainerCallback):
            def on_step_begin(self, args, state, control, **_):
                if state.global_step == at:
                    raise Killed

        attach(trainer)
        trainer.add_callback(Kill())

    for at in (3, 5, 8):  # in the first, second and third epoch; `killing` reads it
        monkeypatch.setattr(progress, "attach", killing)
        with pytest.raises(Killed):
            fit(model, tmp_path / f"killed{at}", files, tmp_path / "c2", params)
    [whole] = (tmp_path / "c2").glob("checkpoint-*")
    (tmp_path / "c2/checkpoint-9").mkdir()  # a kill while it was written
    monkeypatch.setattr(progress, "attach", attach)
    capsys.readouterr()

    resumed = fit(model, tmp_path / "again", files, tmp_path / "c2", params)

    assert whole.name == "checkpoint-8"
    assert "goes on from step 8" in capsys.readouterr().out
    assert resumed == undisturbed


def test_batches_that_were_done_are_not_done_again(tmp_path: Path) -> None:
    file = tmp_path / "batches.jsonl"
    seen = []

    def double(batch):
        seen.append(list(batch))
        if 6 in batch and len(seen) == 3:
            raise Killed
        return [[x * 2, x / 3] for x in batch]

    with pytest.raises(Killed):
        list(resume.batches([1, 2, 3, 4, 5, 6, 7], 2, double, file))
    found = list(resume.batches([1, 2, 3, 4, 5, 6, 7], 2, double, file))

    assert seen == [[1, 2], [3, 4], [5, 6], [5, 6], [7]]
    assert found == [(b, [[x * 2, x / 3] for x in b]) for b in ([1, 2], [3, 4], [5, 6], [7])]


def test_a_batch_whose_line_is_torn_is_done_again(tmp_path: Path) -> None:
    file = tmp_path / "batches.jsonl"
    list(resume.batches([1, 2, 3], 1, lambda batch: batch, file))
    file.write_bytes(file.read_bytes()[:-3])
    seen = []

    found = list(resume.batches([1, 2, 3], 1, lambda batch: seen.append(batch) or batch, file))

    assert (found, seen) == ([([1], [1]), ([2], [2]), ([3], [3])], [[3]])
    assert [json.loads(line) for line in file.read_text().splitlines()] == [[1], [2], [3]]
