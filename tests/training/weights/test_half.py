"""Half fine-tuning: the halves of each layer take turns, and what is frozen stays as it is."""

from pathlib import Path

import pytest
from safetensors.numpy import load_file

from stages.params.weights import Half
from stages.training.weights import half
from tests.tiny_models import build_model
from tests.training.made_up_ways import step, train_step

NAMES = [
    "model.embed_tokens.weight", "model.norm.weight",
    *(f"model.layers.{n}.self_attn.{name}_proj.weight" for n in (0, 1) for name in "qkvo"),
    *(f"model.layers.{n}.self_attn.{name}_proj.bias" for n in (0, 1) for name in "qkvo"),
    *(f"model.layers.{n}.mlp.{name}_proj.weight" for n in (0, 1) for name in ("gate", "up", "down")),
    *(f"model.layers.{n}.{name}_layernorm.weight" for n in (0, 1) for name in ("input", "post_attention")),
]  # fmt: skip


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model(tmp_path_factory.mktemp("model"))


@pytest.mark.parametrize("turn", [0, 2, 10])
def test_half_of_each_part_of_a_layer_is_frozen_and_the_other_half_in_the_next_turn(turn: int) -> None:
    frozen, then = (half.frozen(NAMES, number, 7) for number in (turn, turn + 1))

    assert frozen | then == set(NAMES[2:]) and not frozen & then
    for number in (0, 1):
        layer = {name for name in frozen if f"layers.{number}." in name}
        assert sum("self_attn" in name and "weight" in name for name in layer) == 2
        assert sum("mlp" in name for name in layer) in (1, 2)
        assert sum("layernorm" in name for name in layer) == 1
    assert {name.replace("bias", "weight") for name in frozen if "bias" in name} == {
        name for name in frozen if "self_attn" in name and "weight" in name
    }, "a module's weight and bias go together"


def test_halves_follow_from_the_seed_and_differ_from_turn_to_turn() -> None:
    draws = [half.frozen(NAMES, turn, 7) for turn in (0, 2, 4, 6)]

    assert draws == [half.frozen(NAMES, turn, 7) for turn in (0, 2, 4, 6)]
    assert len({frozenset(draw) for draw in draws}) > 2
    assert half.frozen(NAMES, 0, 8) != draws[0]


@pytest.mark.parametrize(("rotate_steps", "turns"), [(None, 1), (5, 1), (2, 3)])
def test_what_no_turn_trained_is_as_it_was(model: Path, tmp_path: Path, rotate_steps: int | None, turns: int) -> None:
    train_step(model, tmp_path, step(Half(rotate_steps), num_train_epochs=1))  # five steps

    before, after = load_file(model / "model.safetensors"), load_file(tmp_path / "trained/model.safetensors")
    unchanged = {name for name in before if (before[name] == after[name]).all()}
    always_frozen = set.intersection(*(half.frozen(list(before), turn, 1) for turn in range(turns)))
    assert unchanged == always_frozen
    assert len(always_frozen) == (0 if turns == 3 else 9)
