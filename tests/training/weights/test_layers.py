"""Chosen weights: they alone change, and every pattern chooses some."""

from pathlib import Path

import pytest
from safetensors.numpy import load_file

from modelmake.errors import UserError
from stages.params.weights import Layers
from tests.tiny_models import build_model
from tests.training.made_up_ways import step, train_step


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model(tmp_path_factory.mktemp("model"))


def test_the_chosen_weights_change_and_no_others(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train_step(model, tmp_path, step(Layers(["model.layers.1.mlp.*", "model.norm.weight"]), num_train_epochs=1))

    before, after = load_file(model / "model.safetensors"), load_file(tmp_path / "trained/model.safetensors")
    chosen = [f"model.layers.1.mlp.{name}_proj.weight" for name in ("down", "gate", "up")] + ["model.norm.weight"]
    assert sorted(name for name in before if (before[name] != after[name]).any()) == chosen
    assert before.keys() == after.keys()
    assert f"  trains {3 * 64 * 96 + 64:,} of 86,336 weights\n" in capsys.readouterr().out


def test_a_pattern_without_a_weight_stops_training(model: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        train_step(model, tmp_path, step(Layers(["model.layers.*", "lm_head.*"])))  # tied to the embedding here

    assert str(error.value) == (
        f"weights.parameters: 'lm_head.*': matches no weight of {model}: want such as model.embed_tokens.weight, "
        "model.layers.1.post_attention_layernorm.weight, model.norm.weight"
    )
