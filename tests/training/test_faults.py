"""Planted faults: one clear line each, before any step where that can be; training goes on where it can."""

import json
import shutil
from pathlib import Path
from types import ModuleType

import pytest
from msgspec.structs import replace

from modelmake.errors import UserError
from stages.params.step_fields import Best
from stages.params.weights import Layers
from stages.training import best, padding, progress, resume, trainers
from stages.training.weights import all as all_weights
from tests.tiny_models import PLAIN_LORA, build_model
from tests.training.test_resume import STEPS, killed_before, run_stage, write_rows

SFT = STEPS["sft, all weights"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def start(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the model to spoil, which must not be loaded."""
    monkeypatch.setattr(all_weights, "load", lambda *_: pytest.fail("the model was loaded"))
    return shutil.copytree(model, tmp_path / "start")


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def flip(file: Path, at: int) -> None:
    content = bytearray(file.read_bytes())
    content[at] ^= 0xFF
    file.write_bytes(content)


@pytest.mark.parametrize("spoil", [truncate, lambda file: flip(file, 20), lambda file: file.write_bytes(b"")])
def test_a_file_of_weights_that_is_not_whole_is_told_before_the_model_is_loaded(
    start: Path, tmp_path: Path, spoil
) -> None:
    spoil(start / "model.safetensors")

    with pytest.raises(UserError, match=r"start/model.safetensors: no whole file of weights \(.+\): remove it") as e:
        run_stage(start, tmp_path / "out", write_rows(tmp_path, "chat"), tmp_path / "c", SFT)
    assert "\n" not in str(e.value)


def test_a_tokenizer_that_does_not_fit_the_model_is_told_before_the_model_is_loaded(
    start: Path, tmp_path: Path
) -> None:
    config = json.loads((start / "config.json").read_text())
    (start / "config.json").write_text(json.dumps(config | {"vocab_size": 100}))

    with pytest.raises(UserError, match=r"start: its tokenizer gives token \d+, and its model has 100 embeddings"):
        run_stage(start, tmp_path / "out", write_rows(tmp_path, "chat"), tmp_path / "c", SFT)


@pytest.mark.parametrize(
    ("changes", "advice"),
    [
        (
            {},
            "lower per_device_train_batch_size = 4 and raise gradient_accumulation_steps, or write "
            "gradient_checkpointing: true, or lower max_length = 64, or train an adapter (weights.kind: lora); ",
        ),
        (
            {"per_device_train_batch_size": 1, "gradient_checkpointing": True, "weights": PLAIN_LORA},
            "lower max_length = 64, or declare a quantization; ",
        ),
    ],
)
def test_a_machine_without_memory_says_in_one_line_what_to_lower(
    model: Path, tmp_path: Path, changes: dict, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    attach = progress.attach

    def hungry(trainer, *rest) -> None:
        import torch

        attach(trainer, *rest)
        trainer.compute_loss = lambda *_, **__: torch.empty(1 << 50)  # a petabyte and more

    monkeypatch.setattr(progress, "attach", hungry)

    with pytest.raises(UserError) as error:
        run_stage(model, tmp_path / "out", write_rows(tmp_path, "chat"), tmp_path / "c", replace(SFT, **changes))

    assert str(error.value).startswith(f"train.step: out of memory: nothing published; {advice}`modelmake plan`")


def hungry(*_: object, **__: object) -> None:
    import torch

    torch.empty(1 << 50)  # a petabyte and more


@pytest.mark.parametrize(
    ("where", "name"), [(all_weights, "load"), (padding, "unmask"), (best, "take"), (trainers, "_save")]
)
def test_memory_that_lacks_before_and_after_the_steps_is_told_in_one_line_too(
    model: Path, tmp_path: Path, where: ModuleType, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(where, name, hungry)
    step = replace(SFT, best=Best("eval_loss", None), num_train_epochs=1)

    with pytest.raises(UserError, match=r"^train.step: out of memory: nothing published; lower .*"):
        run_stage(model, tmp_path / "out", write_rows(tmp_path, "chat"), tmp_path / "c", step)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"warmup_steps": 10}, "train.step.warmup_steps = 10: want no more than the 9 steps of this training: cosine "
         "would be cut off"),
        ({"lr_scheduler_type": "warmup_stable_decay",
          "lr_scheduler_kwargs": {"num_decay_steps": 8, "min_lr_ratio": 0}},
         "train.step.warmup_steps = 2 and lr_scheduler_kwargs.num_decay_steps = 8: want no more than the 9 steps of "
         "this training together: warmup_stable_decay would be cut off"),
        ({"weights": Layers(["*.norm.*", "none"]), "warmup_steps": 10},
         "train.step.warmup_steps = 10: want no more than the 9 steps of this training: cosine would be cut off\n"
         "weights.parameters: 'none': matches no weight of START: want such as model.embed_tokens.weight, "
         "model.layers.1.post_attention_layernorm.weight, model.norm.weight"),
        ({"weights": replace(PLAIN_LORA, target_modules=["kproj"]), "best": Best("eval_loss", None)},
         "train.step.best: there are no val rows to evaluate: want some, or write `best: null`\n"
         "weights.target_modules: 'kproj': no such"
         " module: want names of linear layers or embeddings: down_proj, embed_tokens, gate_proj, k_proj, lm_head, "
         "o_proj, q_proj, up_proj, v_proj; the model is START"),
    ],
)  # fmt: skip
def test_what_has_no_room_or_place_is_told_before_the_model_is_loaded_and_all_of_it(
    model: Path, tmp_path: Path, changes: dict, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainers, "build", lambda *_: pytest.fail("the model was loaded"))
    files = write_rows(tmp_path, "chat")
    if "best" in changes:
        files[1].write_bytes(b"")

    with pytest.raises(UserError) as error:
        run_stage(model, tmp_path / "out", files, tmp_path / "c", replace(SFT, **changes))

    assert str(error.value).replace(str(model), "START") == message


def test_a_setting_of_trackers_that_is_wrong_is_told_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELMAKE_TRACK", "comet=/x")

    with pytest.raises(UserError, match=r"^MODELMAKE_TRACK: comet: want one of "):
        run_stage(tmp_path / "no model", tmp_path / "out", [tmp_path / "none"] * 2, tmp_path / "c", SFT)


def test_another_error_of_torch_stays_what_it_is(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    attach = progress.attach

    def failing(trainer, *rest) -> None:
        import torch

        attach(trainer, *rest)
        trainer.compute_loss = lambda *_, **__: torch.ones(2, 3) @ torch.ones(2, 3)

    monkeypatch.setattr(progress, "attach", failing)

    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        run_stage(model, tmp_path / "out", write_rows(tmp_path, "chat"), tmp_path / "c", SFT)


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("optimizer.pt", truncate),
        ("optimizer.pt", lambda file: flip(file, 5000)),
        ("model.safetensors", lambda file: flip(file, -50)),
        ("scheduler.pt", Path.unlink),
        (resume.COMPLETE, truncate),
    ],
)
def test_a_damaged_checkpoint_is_told_and_training_ends_with_the_same_bytes(
    model: Path, tmp_path: Path, name: str, spoil, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(resume, "CHECKPOINT_INTERVAL", 0)
    files = write_rows(tmp_path, "chat")
    whole = run_stage(model, tmp_path / "whole", files, tmp_path / "c1", SFT)
    with killed_before(5):
        run_stage(model, tmp_path / "killed", files, tmp_path / "c2", SFT)
    spoil(tmp_path / "c2/checkpoint-4" / name)
    capsys.readouterr()

    resumed = run_stage(model, tmp_path / "again", files, tmp_path / "c2", SFT)

    told = capsys.readouterr().out
    assert f"  checkpoint-4 is damaged ({name}): it is not used, training starts before it\n" in told
    assert "resumes from step" not in told
    assert resumed == whole
