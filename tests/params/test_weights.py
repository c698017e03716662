"""Ways to train weights: what is refused, with its reason."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from modelmake import params
from stages.params.weights import Weights
from tests.tiny_models import PLAIN_LORA
from tests.training.made_up_ways import ADALORA, WAYS
from tests.training.test_resume import STEPS

LORA = msgspec.to_builtins(PLAIN_LORA)
ADA = msgspec.to_builtins(ADALORA)


@pytest.mark.parametrize("name", WAYS)
def test_every_way_can_be_written_in_params(name: str) -> None:
    assert params.decode(Weights, msgspec.to_builtins(WAYS[name]), "weights") == (WAYS[name], [])


@pytest.mark.parametrize(
    ("section", "line"),
    [
        ({"kind": "prompt_tuning", "num_virtual_tokens": 8},
         "kind = 'prompt_tuning': its virtual tokens are in no weight, and no later step, GGUF file or server would "
         "have them: want one of adalora, all, half, layers, lora"),
        ({"kind": "loha"}, "kind = 'loha': want one of adalora, all, half, layers, lora"),
        ({"kind": "layers", "parameters": []}, "parameters: is empty: want patterns of the names of weights"),
        (LORA | {"target_modules": []}, "target_modules: is empty: want all-linear, or names of layers"),
        (LORA | {"init_lora_weights": "pissa_niter_4"},
         "init_lora_weights = 'pissa_niter_4': PEFT does not load such an adapter as it was trained: want pissa"),
        (LORA | {"init_lora_weights": "loftq"},
         "init_lora_weights = 'loftq': it rounds the base itself: want true, and a quantization"),
        (LORA | {"init_lora_weights": "eva"},
         "init_lora_weights = 'eva': it is computed from data: want true, pissa or olora"),
        (LORA | {"init_lora_weights": False},
         "init_lora_weights = False: training would start from a random change: want true"),
        (LORA | {"init_lora_weights": "pisa"},
         "init_lora_weights = 'pisa': want true or one of gaussian, orthogonal, pissa, olora"),
        (LORA | {"init_lora_weights": "orthogonal", "r": 3},
         "r = 3: want an even number with init_lora_weights = 'orthogonal'"),
        (LORA | {"init_lora_weights": "olora", "use_dora": True},
         "use_dora = True: want false with init_lora_weights = 'olora': its magnitudes would be of the changed base, "
         "and the adapter could not be loaded on the original one"),
        (LORA | {"layers_to_transform": [1]},
         "layers_to_transform: want null with target_modules = all-linear, or names of modules"),
        (LORA | {"layers_to_transform": [], "target_modules": ["q_proj"]},
         "layers_to_transform: is empty: want numbers of layers, or null for all"),
        (ADA | {"target_r": 6}, "target_r = 6: want less than init_r = 6: no rank could move"),
        (ADA | {"beta1": 1.0}, "beta1 = 1.0: expected `float` < 1.0"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_line(section: dict[str, Any], line: str) -> None:
    _, problems = params.decode(Weights, section, "weights")

    assert problems == [f"weights.{line}"]


@pytest.mark.parametrize(
    ("way", "why"),
    [
        ("half", "want null where weights.kind = half: 4-bit weights cannot be trained"),
        ("layers", "want null where weights.kind = layers: 4-bit weights cannot be trained"),
        ("PiSSA", "want null with init_lora_weights = 'pissa': it changes weights that are whole"),
        ("OLoRA", "want null with init_lora_weights = 'olora': it changes weights that are whole"),
        ("DoRA", None),
        ("LoRA+", None),
        ("AdaLoRA", None),
    ],
)
def test_a_base_in_4_bits_is_for_adapters_beside_it(way: str, why: str | None) -> None:
    assert WAYS[way].on_4_bits() == ([why] if why else [])


@pytest.mark.parametrize(
    ("step", "refused"),
    [("kto, LoRA", True), ("grpo, LoRA", True), ("dpo, LoRA", False), ("sft, all weights", False)],
)
def test_a_start_in_the_base_is_refused_where_the_base_is_the_reference(step: str, refused: bool) -> None:
    params = replace(STEPS[step], weights=replace(PLAIN_LORA, init_lora_weights="pissa"))
    if params.second_model_as():
        params = replace(params, second_model="models/rm")

    assert params.problems() == refused * [
        f"weights.init_lora_weights = 'pissa': want true for {type(params).__struct_config__.tag}: TRL's reference is "
        "the base without the adapter, which would lack what this start takes out of it"
    ]
