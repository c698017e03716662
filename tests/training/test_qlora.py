"""4-bit loading: dequantized weights are those that an adapter is trained on, and evaluation leaves them alone."""

from pathlib import Path

import pytest

from stages import merge
from stages.params.weights import Quantization
from stages.training import qlora
from tests.tiny_models import build_model

NF4 = Quantization(
    load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype="float32"
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model(tmp_path_factory.mktemp("model"), tie_word_embeddings=False)


def logits(network, device: str = "cpu"):
    import torch

    network.eval()
    with torch.no_grad():
        return network(torch.arange(60, device=device).reshape(2, 30)).logits


def test_dequantized_weights_compute_the_same_as_4_bit_ones(model: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    rounded = logits(qlora.load_4bit(model, NF4, "cpu"))
    dequantized = qlora.load_dequantized(model, NF4)

    assert torch.allclose(logits(dequantized), rounded, atol=1e-5)
    assert not torch.allclose(logits(AutoModelForCausalLM.from_pretrained(model)), rounded, atol=1e-2)
    assert "quantization_config" not in dequantized.config.to_dict()


def test_an_evaluation_changes_no_later_gradient(model: Path) -> None:
    """On CPUs with AVX512-BF16, bitsandbytes would repack the weights and later gradients would be zero."""
    import torch
    from peft import LoraConfig, get_peft_model

    def gradient(evaluate_first: bool) -> torch.Tensor:
        torch.manual_seed(0)
        network = qlora.load_4bit(model, NF4, "cpu")
        network = get_peft_model(network, LoraConfig(task_type="CAUSAL_LM", r=4, target_modules="all-linear"))
        if evaluate_first:
            logits(network)
        network.train()
        ids = torch.arange(60).reshape(2, 30)
        network(input_ids=ids, labels=ids).loss.backward()
        name = "base_model.model.model.layers.0.self_attn.q_proj.lora_B.default.weight"
        return dict(network.named_parameters())[name].grad

    before = gradient(evaluate_first=False)
    assert before.abs().max() > 0
    assert torch.equal(gradient(evaluate_first=True), before)


def test_a_merge_after_qlora_computes_the_same_as_the_trained_model(model: Path, tmp_path: Path) -> None:
    import torch
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(0)
    network = qlora.load_4bit(model, NF4, "cpu")
    config = LoraConfig(task_type="CAUSAL_LM", r=4, target_modules="all-linear", init_lora_weights=False)
    trained = get_peft_model(network, config)
    trained.save_pretrained(tmp_path)
    expected = logits(trained)

    merged, changed = merge.merge(merge.load(model, NF4, "CAUSAL_LM"), tmp_path)
    merged_into_full_precision, _ = merge.merge(merge.load(model, None, "CAUSAL_LM"), tmp_path)

    assert changed == 14
    assert torch.allclose(logits(merged), expected, atol=1e-4)
    assert not torch.allclose(logits(merged_into_full_precision), expected, atol=1e-2)
