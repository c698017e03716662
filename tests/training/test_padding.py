"""Batches without a mask of their padding give what those with one give."""

from typing import Any

import pytest

from stages.training import padding

IDS = [[7, 3, 9, 4, 11, 2], [5, 8, 6, 0, 0, 0]]  # the second row is padded by three tokens
RIGHT = [[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0]]
LEFT = [[1, 1, 1, 1, 1, 1], [0, 0, 0, 1, 1, 1]]
SIZES = {
    "vocab_size": 40, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 8, "pad_token_id": 0, "bos_token_id": None, "eos_token_id": 1,
    "initializer_range": 0.5, "sliding_window": 4, "max_position_embeddings": 64,
}  # fmt: skip


def network(architecture: str, **settings: Any) -> Any:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(0)
    return AutoModelForCausalLM.from_config(AutoConfig.for_model(architecture, **(SIZES | settings)))


def masks_seen(model: Any) -> list[Any]:
    """The masks that the model's first layer is given, from here on; None where it is given none."""
    seen: list[Any] = []
    layer = model.base_model.layers[0]
    layer.register_forward_pre_hook(lambda _, args, kwargs: seen.append(kwargs.get("attention_mask")), with_kwargs=True)
    return seen


def outcome(model: Any, mask: list[list[int]]) -> tuple[Any, dict[str, Any]]:
    """The logits of tokens that are no padding, and the gradients of their log-probabilities."""
    import torch

    model.zero_grad()
    mask = torch.tensor(mask)
    logits = model(input_ids=torch.tensor(IDS), attention_mask=mask, use_cache=False).logits[mask.bool()]
    logits.log_softmax(-1)[:, 3].sum().backward()
    return logits.detach(), {name: weight.grad.clone() for name, weight in model.named_parameters()}


@pytest.mark.parametrize("architecture", sorted(padding.CAUSAL))
def test_tokens_and_gradients_are_those_of_a_masked_batch(architecture: str) -> None:
    import torch

    model = network(architecture)
    seen = masks_seen(model)
    logits, gradients = outcome(model, RIGHT)
    assert seen[0] is not None
    padding.unmask(model)
    unmasked_logits, unmasked_gradients = outcome(model, RIGHT)
    torch.testing.assert_close(unmasked_logits, logits, rtol=1e-5, atol=1e-5)
    for name, gradient in gradients.items():
        torch.testing.assert_close(unmasked_gradients[name], gradient, rtol=1e-4, atol=1e-5, msg=name)


def test_the_attention_of_a_batch_padded_on_the_right_is_given_no_mask() -> None:
    model = network("llama")
    padding.unmask(model)
    seen = masks_seen(model)
    outcome(model, RIGHT)
    assert seen == [None]


@pytest.mark.parametrize(
    ("architecture", "settings", "mask"),
    [
        ("llama", {}, LEFT),
        ("llama", {"attn_implementation": "eager"}, RIGHT),
        ("cohere", {}, RIGHT),  # not proven
        ("gemma3_text", {"use_bidirectional_attention": True}, RIGHT),
    ],
)
def test_other_masks_and_models_stay_as_they_are(
    architecture: str, settings: dict[str, Any], mask: list[list[int]]
) -> None:
    import torch

    model = network(architecture, **settings)
    logits, _ = outcome(model, mask)
    padding.unmask(model)
    assert torch.equal(outcome(model, mask)[0], logits)


def test_packed_rows_with_positions_keep_their_mask() -> None:
    import torch

    model = network("llama")
    padding.unmask(model)
    seen: list[Any] = []
    model.base_model.register_forward_pre_hook(
        lambda _, args, kwargs: seen.append(kwargs["attention_mask"]), with_kwargs=True
    )
    positions = torch.tensor([[0, 1, 2, 0, 1, 2]] * 2)
    model(input_ids=torch.tensor(IDS), attention_mask=torch.ones(2, 6), position_ids=positions, use_cache=False)
    assert seen[0] is not None
