"""A step as the twin runs it holds what three steps on two layers can do."""

import pytest
from msgspec.structs import replace

from stages.params.weights import AdaLora, Layers
from stages.twinning.small_step import small
from tests.tiny_models import PLAIN_LORA
from tests.training.made_up_ways import ADALORA
from tests.training.test_resume import STEPS

STEP = STEPS["sft, all weights"]


def test_ranks_move_within_three_steps() -> None:
    real = replace(ADALORA, tinit=200, tfinal=500, deltaT=10)

    assert small(replace(STEP, weights=real)).weights == AdaLora(
        init_r=6, target_r=3, lora_alpha=8, lora_dropout=0.2, target_modules="all-linear", tinit=0, tfinal=1, deltaT=1,
        beta1=0.85, beta2=0.85, orth_reg_weight=0.5,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "of_two_layers"),
    [
        ("model.layers.20.*", ["model.layers.0.*"]),
        ("*.layers.31.mlp.*", ["*.layers.1.mlp.*"]),
        ("*.layers.2[1357].*", ["*.layers.1.*"]),
        ("*.layers.2?.*", ["*.layers.0.*", "*.layers.1.*"]),
        ("model.layers.2*", ["model.layers.0*", "model.layers.1*"]),
        ("*.layers.*.mlp.*", ["*.layers.*.mlp.*"]),
        ("lm_head.weight", ["lm_head.weight"]),
        ("*.layers.20.mlp.experts.7.*", ["*.layers.0.mlp.experts.7.*"]),
        ("*.experts.7.w2.*", ["*.experts.7.w2.*"]),
    ],
)
def test_numbers_of_layers_in_names_are_of_two_layers(pattern: str, of_two_layers: list[str]) -> None:
    assert small(replace(STEP, weights=Layers([pattern]))).weights.parameters == of_two_layers


def test_an_adapter_of_numbered_layers_is_of_two_layers() -> None:
    named = replace(PLAIN_LORA, target_modules=["layers.20.mlp.up_proj", "22.mlp.up_proj", "q_proj"])
    saved = replace(named, modules_to_save=["model.layers.21.input_layernorm", "model.layers.23.input_layernorm"])
    numbered = replace(PLAIN_LORA, target_modules=["q_proj"], layers_to_transform=[3, 20, 21])

    found = small(replace(STEP, weights=saved)).weights

    assert found.target_modules == ["layers.0.mlp.up_proj", "0.mlp.up_proj", "q_proj"]
    assert found.modules_to_save == ["model.layers.1.input_layernorm"]
    assert small(replace(STEP, weights=numbered)).weights.layers_to_transform == [0, 1]
    assert small(replace(STEP, weights=PLAIN_LORA)).weights == PLAIN_LORA
