"""LoRA: its learning rates, how it starts and what is saved of that, and gradient checkpointing."""

import json
from pathlib import Path

import pytest
from msgspec.structs import replace
from safetensors.numpy import load_file

from tests.tiny_models import PLAIN_LORA, build_model
from tests.training.made_up_ways import LORA, step, train_step


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model(tmp_path_factory.mktemp("model"))


def test_lora_plus_trains_b_faster_than_a_by_the_ratio(model: Path, tmp_path: Path) -> None:
    way = replace(PLAIN_LORA, loraplus_lr_ratio=16.0, use_dora=True, modules_to_save=["embed_tokens"])
    trainer = train_step(model, tmp_path, step(way, num_train_epochs=1))

    rates = {id(weight): group["lr"] for group in trainer.optimizer.param_groups for weight in group["params"]}
    trained = {name: weight for name, weight in trainer.model.named_parameters() if weight.requires_grad}
    by_part = {
        part: {rates[id(weight)] for name, weight in trained.items() if part in name}
        for part in ("lora_A", "lora_B", "lora_magnitude_vector", "embed_tokens")
    }
    assert by_part == {
        "lora_A": {0.01}, "lora_B": {0.16}, "lora_magnitude_vector": {0.16}, "embed_tokens": {0.01},
    }  # fmt: skip
    assert {group["weight_decay"] for group in trainer.optimizer.param_groups} == {0.01, 0.0}
    assert type(trainer.optimizer.optimizer).__name__ == "AdamW", "that of `optim`"


def test_lora_plus_moves_every_weight_of_the_adapter(model: Path, tmp_path: Path) -> None:
    train_step(model, tmp_path / "no", step(PLAIN_LORA, num_train_epochs=1, learning_rate=1e-12))
    train_step(model, tmp_path / "yes", step(replace(PLAIN_LORA, loraplus_lr_ratio=16.0), num_train_epochs=1))

    before, after = (load_file(tmp_path / name / "trained/adapter_model.safetensors") for name in ("no", "yes"))
    assert len(after) == 28
    assert min(abs(after[name] - before[name]).max() for name in after) > 1e-3


@pytest.mark.parametrize("start", ["pissa", "olora"])
@pytest.mark.parametrize("scaled_by_root", [False, True])
def test_a_start_in_the_base_is_saved_as_plain_lora_of_twice_the_rank(
    model: Path, tmp_path: Path, start: str, scaled_by_root: bool
) -> None:
    way = replace(LORA, init_lora_weights=start, use_rslora=scaled_by_root)
    train_step(model, tmp_path, step(way, num_train_epochs=1))

    config = json.loads((tmp_path / "trained/adapter_config.json").read_text())
    assert (config["init_lora_weights"], config["r"], config["use_rslora"]) == (True, 8, scaled_by_root)
    assert config["lora_alpha"] == pytest.approx(8 * 2**0.5 if scaled_by_root else 16)


@pytest.mark.parametrize("way", [LORA, replace(LORA, use_dora=True)])
def test_gradient_checkpointing_trains_the_same_adapter(model: Path, tmp_path: Path, way) -> None:
    import torch

    saved = []
    for checkpointing in (False, True):
        params = step(way, num_train_epochs=1, gradient_checkpointing=checkpointing)
        train_step(model, tmp_path / str(checkpointing), params)
        saved.append(load_file(tmp_path / str(checkpointing) / "trained/adapter_model.safetensors"))

    assert all(torch.equal(torch.tensor(saved[0][name]), torch.tensor(saved[1][name])) for name in saved[0])
