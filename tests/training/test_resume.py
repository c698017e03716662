"""Training that was killed and resumed ends with the same bytes as training without interruption."""

import ast
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from stages import train
from stages.params.machine import Machine
from stages.params.training import Cpt, Distill, Dpo, Grpo, Kto, Orpo, OwnAnswers, Reward, Rloo, Sft, Step
from stages.params.weights import All, Quantization
from stages.rows import jsonl
from stages.rows.row import Chat, Judged, Message, Pair, Text, make_row
from stages.training import given, progress, resume, trainers
from tests.tiny_models import PLAIN_LORA, build_model, build_reward_model
from tests.training.made_up_ways import WAYS

ROOT = Path(__file__).parents[2]
CPU = Machine("cpu", "float32", 1)
COMMON = {
    "from_": "base", "second_model": "recipes/no_model.json",
    "seed": 1, "quantization": None, "max_length": 64, "over_long": "drop", "omit": [],
    "num_train_epochs": 3, "per_device_train_batch_size": 4, "gradient_accumulation_steps": 2,
    "gradient_checkpointing": False, "attn_implementation": None, "processes": 1, "sharding": None,
    "learning_rate": 1e-3, "optim": "adamw_torch_fused", "lr_scheduler_type": "cosine", "lr_scheduler_kwargs": {},
    "warmup_steps": 2,
    "weight_decay": 0.01, "max_grad_norm": 1.0, "logging_steps": 2, "eval_steps": 3,
    "best": None, "stop_on": [],
}  # fmt: skip
OWN_ANSWERS = {
    **COMMON, "rows": "chat", "rewards": {"second_model": 1.0, "valid_json": 0.5}, "label": None, "slots": [],
    "answer_schema": None, "num_generations": 2, "max_completion_length": 6, "temperature": 1.0, "beta": 0.05,
}  # fmt: skip
LORA = replace(PLAIN_LORA, lora_dropout=0.2)
NF4 = Quantization(
    load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype="float32"
)
STEPS = {
    "sft, all weights": Sft(**COMMON, rows="chat", weights=All(), assistant_only_loss=False),
    "sft, LoRA with dropout": Sft(**COMMON, rows="chat", weights=LORA, assistant_only_loss=False),
    "cpt, packed and split": Cpt(
        **{**COMMON, "over_long": "split", "max_length": 16}, rows="text", weights=LORA, packing=True
    ),
    "sft, QLoRA": Sft(**COMMON | {"quantization": NF4}, rows="chat", weights=PLAIN_LORA, assistant_only_loss=False),
    "dpo, LoRA": Dpo(
        **COMMON, rows="pair", weights=PLAIN_LORA, beta=0.1, loss_type=["sigmoid", "sft"], loss_weights=[1.0, 1.0]
    ),
    "orpo, LoRA with dropout": Orpo(**COMMON, rows="pair", weights=LORA, beta=0.1),
    "distill, all weights": Distill(
        **{**COMMON, "second_model": "the start"},
        rows="chat",
        weights=All(),
        assistant_only_loss=True,
        beta=0.5,
        temperature=2.0,
        alpha=0.5,
    ),
    "kto, LoRA": Kto(
        **COMMON, rows="judged", weights=PLAIN_LORA, beta=0.1, desirable_weight=1.0, undesirable_weight=1.5
    ),
    "reward, LoRA": Reward(**COMMON, rows="pair", weights=PLAIN_LORA),
    "grpo, LoRA": Grpo(**OWN_ANSWERS, weights=PLAIN_LORA, loss_type="dapo", scale_rewards="group"),
    "rloo, all weights": Rloo(**OWN_ANSWERS, weights=All(), normalize_advantages=True),
}

STEPS |= {
    f"sft, {way}": replace(STEPS["sft, all weights"], weights=WAYS[way])
    for way in ("DoRA", "PiSSA", "OLoRA", "LoRA+", "LoRA and the embedding", "AdaLoRA", "layers", "half")
}


class Killed(Exception):
    pass


@contextmanager
def killed_before(step: int) -> Iterator[None]:
    """Training begins and is killed after so many steps; it fails if none is."""
    from transformers import TrainerCallback

    attach = progress.attach

    class Kill(TrainerCallback):
        def on_step_begin(self, args, state, control, **_):
            if state.global_step == step:
                raise Killed

    def killing(trainer: Any, *rest: Any) -> None:
        attach(trainer, *rest)
        trainer.add_callback(Kill())

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(progress, "attach", killing)
        yield


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def reward_model(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_reward_model(tmp_path_factory.mktemp("reward_model"), model)


def write_rows(folder: Path, kind: str) -> list[Path]:
    """Files of train and val rows."""

    def message(role: str, text: str) -> Message:
        return Message(role, text)

    rows = []
    for number in range(24):
        prompt = [message("user", "word " * (number % 5 + 1) + str(number))]
        if kind == "chat":
            rows.append(make_row(Chat([*prompt, message("assistant", f"answer {number}")]), "", ""))
        elif kind == "text":
            rows.append(make_row(Text("a text of " + "word " * (number % 7 + 1) + str(number)), "", ""))
        elif kind == "judged":
            rows.append(make_row(Judged(prompt, [message("assistant", f"answer {number}")], number % 3 == 0), "", ""))
        else:
            good, bad = [message("assistant", f"good {number}")], [message("assistant", f"bad {number}")]
            rows.append(make_row(Pair(prompt, good, bad), "", ""))
    jsonl.write(folder / "train.jsonl", rows[:20])
    jsonl.write(folder / "val.jsonl", rows[20:])
    return [folder / "train.jsonl", folder / "val.jsonl"]


def run_stage(
    model: Path, folder: Path, files: list[Path], checkpoints: Path, params: Step, machine: Machine = CPU
) -> dict[str, bytes]:
    """Trains, and returns {path: content} of the outputs in `folder`."""
    folder.mkdir()
    checkpoints.mkdir(exist_ok=True)
    outputs = [folder / name for name in ("trained", "consumed.jsonl", "log.json")]
    train.main(model, ROOT / params.second_model, *files, *outputs, checkpoints, "step", params, machine)
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("kind", STEPS)
def test_training_that_was_killed_ends_with_the_same_bytes(
    model: Path, reward_model: Path, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    params = STEPS[kind]
    if params.second_model_as():
        params = replace(params, second_model=str(reward_model if isinstance(params, OwnAnswers) else model))
    files = write_rows(tmp_path, params.rows)
    monkeypatch.setattr(resume, "CHECKPOINT_INTERVAL", 0)  # a checkpoint at every log step
    count, counted = given.steps, []
    monkeypatch.setattr(given, "steps", lambda *of: counted.append(count(*of)) or counted[-1])
    uninterrupted = run_stage(model, tmp_path / "once", files, tmp_path / "c1", params)
    assert counted == [json.loads(uninterrupted["log.json"])["steps"]], "foreseen before the model is loaded"
    assert len(uninterrupted["consumed.jsonl"].splitlines()) >= 15, "of 3 epochs"
    for at in (3, 5, 8):  # in the first, second and third epoch
        with killed_before(at):
            run_stage(model, tmp_path / f"killed{at}", files, tmp_path / "c2", params)
    [newest] = (tmp_path / "c2").glob("checkpoint-*")
    (tmp_path / "c2/checkpoint-9").mkdir()  # as a kill during its writing leaves it
    capsys.readouterr()

    resumed = run_stage(model, tmp_path / "again", files, tmp_path / "c2", params)

    assert newest.name == "checkpoint-8"
    assert "resumes from step 8" in capsys.readouterr().out
    assert resumed == uninterrupted


@pytest.mark.parametrize("kind", ["sft, all weights", "dpo, LoRA"])
def test_what_is_trained_does_not_depend_on_how_many_gpus_are_seen(
    model: Path, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch

    params, arguments = STEPS[kind], trainers.arguments
    files = write_rows(tmp_path, params.rows)
    on_cpu = run_stage(model, tmp_path / "cpu", files, tmp_path / "c1", params)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(trainers, "arguments", lambda *a: {**arguments(*a), "use_cpu": False})

    assert run_stage(model, tmp_path / "gpus", files, tmp_path / "c2", params) == on_cpu
    assert "  trains on 1 of 2 GPUs\n" in capsys.readouterr().out


def test_every_trainer_is_one_that_resumes_and_trains_on_one_gpu() -> None:
    """All are made by calling what `epoch_seeded` or `recording_trainer` returns, never a class of a library."""
    called = {
        f"{file.relative_to(ROOT)}: {node.func.id}"
        for file in (ROOT / "stages").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.endswith("Trainer")
    }

    assert called == set()
