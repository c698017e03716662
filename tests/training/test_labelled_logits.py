"""Scoring the tokens that the loss sees gives what TRL computes from all logits."""

from collections.abc import Iterator
from typing import Any

import pytest

from stages.training import labelled_logits

OUTPUTS = ("log_probs", "entropy", "log_sum_sq_probs", "mean_logits", "is_top1")
LABELS = [[-100, -100, 5, 9, -100, -100], [-100, 7, -100, 3, 2, 11]]  # of a chat, and of one with two answers
CONFIGS = {
    "llama, tied": ("llama", {"tie_word_embeddings": True}),
    "gemma2, softcapping": ("gemma2", {"final_logit_softcapping": 0.5, "head_dim": 8}),
    "cohere, scale": ("cohere", {"logit_scale": 0.3}),
    "granite, scaling": ("granite", {"logits_scaling": 4.0}),
    "phi, bias": ("phi", {}),
}


@pytest.fixture
def trl_utils() -> Iterator[Any]:
    """TRL's module, whose names are put back after the test."""
    from trl.trainer import utils

    names = ("_ChunkedLogProbFunction", "_use_triton")
    before = {name: getattr(utils, name) for name in names}
    yield utils
    for name, value in before.items():
        setattr(utils, name, value)


def network(architecture: str, settings: dict[str, Any]) -> Any:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(0)
    sizes = {
        "vocab_size": 40, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 4,
        "num_key_value_heads": 2, "pad_token_id": 0, "bos_token_id": None, "eos_token_id": 1, "initializer_range": 0.5,
    }  # fmt: skip
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(architecture, **(sizes | settings)))
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if name.endswith("bias"):
                weights += torch.randn_like(weights)
    return model


def outcome(model: Any, batch: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """What TRL's forward gives, and the gradients of its loss of three more tokens, as of other micro-batches."""
    model.zero_grad()
    found = model(**batch, fused_lm_head=True, num_items_in_batch=9)
    found.loss.backward()
    return found, {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("held", [1 << 24, 80])
@pytest.mark.parametrize("config", CONFIGS)
def test_scores_and_gradients_are_those_of_all_logits(
    config: str, held: int, monkeypatch: pytest.MonkeyPatch, trl_utils: Any
) -> None:
    """Also where few logits are held, of 2 tokens here."""
    import torch

    model = network(*CONFIGS[config])
    trl_utils.add_fused_lm_head(model, outputs=OUTPUTS)
    ids = torch.tensor([[4, 8, 5, 9, 0, 0], [6, 7, 10, 3, 2, 11]])
    batch = {"input_ids": ids, "attention_mask": (ids != 0).long(), "labels": torch.tensor(LABELS)}
    expected, expected_gradients = outcome(model, batch)
    logits = model(input_ids=ids, attention_mask=batch["attention_mask"]).logits  # by the model's own forward

    monkeypatch.setattr(labelled_logits, "HELD_LOGITS", held)
    labelled_logits.on_cpus()
    found, gradients = outcome(model, batch)

    for name in ("loss", *OUTPUTS):
        assert torch.allclose(found[name], expected[name], atol=1e-5), name
    assert gradients.keys() == expected_gradients.keys()
    for name, gradient in gradients.items():
        assert torch.allclose(gradient, expected_gradients[name], atol=1e-5), name
    mean_loss = torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), batch["labels"][:, 1:].flatten())
    assert torch.allclose(found.loss, mean_loss * 6 / 9, atol=1e-5)


def test_a_batch_without_labels_has_loss_0_and_a_gradient(trl_utils: Any) -> None:
    import torch

    model = network("llama", {})
    trl_utils.add_fused_lm_head(model, outputs=OUTPUTS)
    labelled_logits.on_cpus()

    found, gradients = outcome(model, {"input_ids": torch.tensor([[4, 8]]), "labels": torch.tensor([[-100, -100]])})

    assert found.loss.item() == 0.0
    assert all(gradient.abs().sum() == 0 for gradient in gradients.values())


def test_only_labelled_tokens_reach_the_output_layer(monkeypatch: pytest.MonkeyPatch, trl_utils: Any) -> None:
    import torch

    model = network("llama", {})
    trl_utils.add_fused_lm_head(model)
    scored = []
    statistics = labelled_logits._statistics
    monkeypatch.setattr(labelled_logits, "_statistics", lambda *a: scored.append(a[1].tolist()) or statistics(*a))
    labelled_logits.on_cpus()

    model(input_ids=torch.arange(12).view(2, 6), labels=torch.tensor(LABELS), fused_lm_head=True)

    assert scored == [[5, 9, 7, 3, 2, 11]]
