"""Shortened norms give what those of transformers give, and the same gradients."""

from typing import Any

import pytest

from stages.training import norms
from tests.training import test_padding

ARCHITECTURES = ("llama", "mistral", "phi3", "qwen2", "qwen3", "smollm3")
IDS = [[7, 3, 9, 4, 11, 2], [5, 8, 6, 10, 1, 2]]


def network(architecture: str) -> Any:
    """A model of random weights, of its norms too."""
    import torch

    model = test_padding.network(architecture)
    for name, weight in model.named_parameters():
        if "norm" in name:
            torch.nn.init.uniform_(weight, 0.5, 1.5)
    return model


def shortened(model: Any) -> set[str]:
    return {type(module).__name__ for module in model.modules() if "forward" in vars(module)}


def outcome(model: Any) -> tuple[Any, dict[str, Any]]:
    """The logits, and the gradients of log-probabilities."""
    import torch

    model.zero_grad()
    logits = model(input_ids=torch.tensor(IDS), use_cache=False).logits
    logits.float().log_softmax(-1)[..., 3].sum().backward()
    return logits.detach(), {n: w.grad.clone() for n, w in model.named_parameters() if w.requires_grad}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_logits_and_gradients_are_those_of_transformers(architecture: str) -> None:
    import torch

    model = network(architecture)
    logits, gradients = outcome(model)
    norms.shorten(model)

    shortened_logits, shortened_gradients = outcome(model)

    assert shortened(model) <= norms.PLAIN and shortened(model)
    torch.testing.assert_close(shortened_logits, logits, rtol=1e-5, atol=1e-5)
    for name, gradient in gradients.items():
        torch.testing.assert_close(shortened_gradients[name], gradient, rtol=1e-4, atol=1e-4, msg=name)


def test_every_norm_that_is_shortened_is_proven() -> None:
    assert set().union(*({type(m).__name__ for m in network(a).modules()} for a in ARCHITECTURES)) >= norms.PLAIN


def test_a_norm_by_hand() -> None:
    """x = (3, 4): the mean of squares is 12.5. Of y = w x / √12.5 with w = (1, 2), and a gradient of 1 for y₁ alone:

    dx₁ = 1/√12.5 − 3·3/(2·12.5^1.5) = 0.181019, dx₂ = −3·4/(2·12.5^1.5) = −0.135765, dw = (3/√12.5, 0).
    """
    import torch
    from transformers.models.llama.modeling_llama import LlamaRMSNorm

    norm = LlamaRMSNorm(2, eps=0.0)
    norm.weight.data = torch.tensor([1.0, 2.0])
    norms.shorten(norm)
    hidden = torch.tensor([[3.0, 4.0]], requires_grad=True)

    normed = norm(hidden)
    normed[0, 0].backward()

    torch.testing.assert_close(normed, torch.tensor([[0.848528, 2.262742]]))
    torch.testing.assert_close(hidden.grad, torch.tensor([[0.181019, -0.135765]]), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(norm.weight.grad, torch.tensor([0.848528, 0.0]))


def test_frozen_norms_pass_the_gradient_on() -> None:
    import torch

    model = network("llama")
    for name, weight in model.named_parameters():
        weight.requires_grad_("norm" not in name)
    _, gradients = outcome(model)
    norms.shorten(model)
    for name, gradient in outcome(model)[1].items():
        torch.testing.assert_close(gradient, gradients[name], rtol=1e-4, atol=1e-4, msg=name)


def test_bfloat16_and_other_norms_stay_as_they_are() -> None:
    import torch

    model = network("llama").bfloat16()
    logits, _ = outcome(model)
    norms.shorten(model)
    assert torch.equal(outcome(model)[0], logits)

    gemma = network("gemma")
    norms.shorten(gemma)
    assert not shortened(gemma)
