"""What an adapter changes is there, is what PEFT would change, and can be trained by TRL and merged."""

from pathlib import Path
from typing import Any

import pytest

from modelmake.errors import UserError
from stages.training import adapted_modules
from tests.tiny_models import build_model

LINEAR = "down_proj, embed_tokens, gate_proj, k_proj, lm_head, o_proj, q_proj, up_proj, v_proj"
FINE: dict[str, Any] = {
    "target_modules": "all-linear", "modules_to_save": [], "trainable_token_indices": [], "layers_to_transform": None,
    "quantized": False,
}  # fmt: skip


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Any]:
    """{whether embedding and output matrix are one: model}."""
    from transformers import AutoModelForCausalLM

    return {
        tied: AutoModelForCausalLM.from_pretrained(
            build_model(tmp_path_factory.mktemp("model"), tie_word_embeddings=tied)
        )
        for tied in (True, False)
    }


@pytest.mark.parametrize(
    ("tied", "fields", "problem"),
    [
        (False, {"target_modules": ["q_proj", "kproj"]},
         f"target_modules: 'kproj': no such module: want names of linear layers or embeddings: {LINEAR}"),
        (False, {"target_modules": ["self_attn"]},
         f"target_modules: 'self_attn': is none: want names of linear layers or embeddings: {LINEAR}"),
        (False, {"target_modules": ["lm_head"]},
         "target_modules: 'lm_head': is the output matrix, and TRL computes the loss from its weight, without an "
         "adapter: want it in modules_to_save"),
        (True, {"target_modules": ["embed_tokens"]},
         "target_modules: 'embed_tokens': is tied to the output matrix, and merging would change both: want it in "
         "modules_to_save, which unties them"),
        (False, {"modules_to_save": ["head"]}, f"modules_to_save: 'head': no such module: want such as {LINEAR}"),
        (False, {"modules_to_save": ["norm"]},
         "modules_to_save: 'norm': PEFT would train model.layers.0.input_layernorm too: want 'model.norm'"),
        (False, {"trainable_token_indices": [3, 384]}, "trainable_token_indices: 384: want 0 to 383"),
        (False, {"trainable_token_indices": [3], "modules_to_save": ["embed_tokens"]},
         "trainable_token_indices: modules_to_save has 'embed_tokens', their whole matrix: want one of both"),
        (True, {"trainable_token_indices": [3]},
         "trainable_token_indices: embedding and output matrix are tied, and TRL computes the loss from the matrix as "
         "it was: want [], and the embedding in modules_to_save, which unties them"),
        (False, {"target_modules": ["q_proj"], "layers_to_transform": [1, 2]}, "layers_to_transform: 2: want 0 to 1"),
    ],
)  # fmt: skip
def test_what_could_not_be_trained_is_one_line(
    networks: dict[bool, Any], tied: bool, fields: dict[str, Any], problem: str
) -> None:
    with pytest.raises(UserError) as error:
        adapted_modules.check(networks[tied], Path("models/base"), **(FINE | fields))

    assert str(error.value) == f"weights.{problem}; the model is models/base"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"target_modules": ["self_attn.q_proj", "model.layers.1.mlp.down_proj", "embed_tokens"]},
        {"modules_to_save": ["lm_head", "model.norm", "input_layernorm"], "trainable_token_indices": [0, 383]},
        {"target_modules": ["q_proj"], "layers_to_transform": [0, 1]},
    ],
)
def test_what_can_be_trained_passes(networks: dict[bool, Any], fields: dict[str, Any]) -> None:
    adapted_modules.check(networks[False], Path("models/base"), **(FINE | fields))


def test_a_matrix_that_is_tied_can_be_trained_whole(networks: dict[bool, Any]) -> None:
    adapted_modules.check(networks[True], Path("models/base"), **(FINE | {"modules_to_save": ["embed_tokens"]}))
