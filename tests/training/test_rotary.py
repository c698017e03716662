"""The rotation by halves gives what that of transformers gives, and the same gradients."""

import importlib
from collections.abc import Iterator

import pytest

from stages.training import rotary
from tests.training.test_norms import network, outcome


def module_of(architecture: str):
    return importlib.import_module(f"transformers.models.{architecture}.modeling_{architecture}")


@pytest.fixture(autouse=True)
def usual_again() -> Iterator[None]:
    yield
    for architecture in rotary.PLAIN:
        found = module_of(architecture)
        found.apply_rotary_pos_emb = getattr(found.apply_rotary_pos_emb, "usual", found.apply_rotary_pos_emb)


@pytest.mark.parametrize("architecture", sorted(rotary.PLAIN))
def test_logits_and_gradients_are_those_of_transformers(architecture: str) -> None:
    import torch

    model = network(architecture)
    logits, gradients = outcome(model)
    rotary.shorten(model)
    rotary.shorten(model)  # another step in the same process

    shortened_logits, shortened_gradients = outcome(model)

    assert not hasattr(module_of(architecture).apply_rotary_pos_emb.usual, "usual"), "shortened once"
    torch.testing.assert_close(shortened_logits, logits, rtol=1e-5, atol=1e-5)
    for name, gradient in gradients.items():
        torch.testing.assert_close(shortened_gradients[name], gradient, rtol=1e-4, atol=1e-4, msg=name)


def test_a_quarter_turn_by_hand() -> None:
    """(1, 2, 3, 4) by the angles 0 and π/2 of its pairs (1, 3) and (2, 4): (1, −4, 3, 2); the gradient turns back."""
    import torch

    rotary.shorten(network("llama"))
    cos, sin = torch.tensor([[[1.0, 0.0, 1.0, 0.0]]]), torch.tensor([[[0.0, 1.0, 0.0, 1.0]]])
    states = torch.tensor([[[[1.0, 2.0, 3.0, 4.0]]]], requires_grad=True)

    turned, _ = module_of("llama").apply_rotary_pos_emb(states, states, cos, sin)
    turned.backward(torch.tensor([[[[1.0, -4.0, 3.0, 2.0]]]]))

    assert turned.flatten().tolist() == [1.0, -4.0, 3.0, 2.0]
    assert states.grad.flatten().tolist() == [1.0, 2.0, 3.0, 4.0]


def test_bfloat16_and_other_models_stay_as_they_are() -> None:
    import torch

    model = network("llama").bfloat16()
    logits, _ = outcome(model)
    rotary.shorten(model)
    assert torch.equal(outcome(model)[0], logits)

    usual = module_of("phi3").apply_rotary_pos_emb
    rotary.shorten(network("phi3"))
    assert module_of("phi3").apply_rotary_pos_emb is usual
