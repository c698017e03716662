"""AdaLoRA: ranks move within the real steps, A and B stay orthogonal under every method, and it fits the training."""

import json
import math
from pathlib import Path

import pytest
from msgspec.structs import replace
from safetensors.numpy import load_file

from modelmake.errors import UserError
from stages.training.weights import adalora
from tests.tiny_models import build_model
from tests.training.made_up_ways import ADALORA, step, train_step


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model(tmp_path_factory.mktemp("model"))


def test_ranks_move_from_one_module_to_another_until_the_budget_is_met(model: Path, tmp_path: Path) -> None:
    train_step(model, tmp_path, step(ADALORA))

    config = json.loads((tmp_path / "trained/adapter_config.json").read_text())
    tensors = load_file(tmp_path / "trained/adapter_model.safetensors")
    ranks = {name: len(weight) for name, weight in tensors.items() if name.endswith("lora_A")}
    assert config["total_step"] == 15
    assert sum(ranks.values()) == 14 * 3, "target_r for each of 14 modules"
    assert len(set(ranks.values())) > 1
    assert sum(map(sum, config["rank_pattern"].values())) == 14 * 3


def test_a_training_shorter_than_the_schedule_is_refused_before_the_model_is_loaded(
    model: Path, tmp_path: Path
) -> None:
    with pytest.raises(UserError) as error:
        train_step(model, tmp_path, step(replace(ADALORA, tinit=8, tfinal=7)))

    assert str(error.value) == (
        "train.step.weights.tinit = 8 and tfinal = 7: want fewer than the 15 steps of this training together, or no "
        "rank would move"
    )


def test_the_distance_from_orthonormal_is_a_mean_of_norms() -> None:
    import torch

    module = torch.nn.Module()
    module.lora_A = torch.nn.ParameterDict({"default": torch.tensor([[1.0, 0.0], [0.0, 3.0]])})  # A Aᵀ - 1: 0, 8
    module.lora_B = torch.nn.ParameterDict({"default": torch.tensor([[1.0, 1.0], [0.0, 0.0]])})  # BᵀB - 1: 0, 1; 1, 0
    model = torch.nn.ModuleDict({"q_proj": module})

    assert adalora.orthogonality(model).item() == pytest.approx((8 + math.sqrt(2)) / 2)


@pytest.mark.parametrize("accumulated", [1, 2])
def test_the_loss_of_orthogonality_counts_once_a_step_and_is_not_logged(
    model: Path, tmp_path: Path, accumulated: int
) -> None:
    first = {}
    for weight in (0.0, 0.5):
        params = step(
            replace(ADALORA, orth_reg_weight=weight, lora_dropout=0.0, tinit=1, tfinal=1), num_train_epochs=1,
            gradient_accumulation_steps=accumulated, per_device_train_batch_size=4 // accumulated, logging_steps=1,
        )  # fmt: skip
        trainer = train_step(model, tmp_path / str(weight), params)
        first[weight] = trainer.state.log_history[0], adalora.orthogonality(trainer.model).item()

    (log, far), (regular_log, near) = first[0.0], first[0.5]
    assert regular_log["loss"] == log["loss"]
    assert regular_log["grad_norm"] > log["grad_norm"]
    assert near < far
