"""Merging: the merged model computes the same as model and adapter."""

from safetensors.numpy import load_file


def test_a_merged_model_computes_the_same_as_model_and_adapter(built) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    models = built.path / "models"
    tokens = torch.arange(40).reshape(2, 20)
    with torch.no_grad():
        start = AutoModelForCausalLM.from_pretrained(models / "sft")
        adapted = PeftModel.from_pretrained(start, str(models / "trained/dpo"))(tokens).logits
        merged = AutoModelForCausalLM.from_pretrained(models / "dpo")(tokens).logits

    assert torch.allclose(adapted, merged, atol=1e-5)


def test_a_full_fine_tune_is_copied_byte_for_byte(built) -> None:
    trained, merged = (built.path / "models" / name / "model.safetensors" for name in ("trained/sft", "sft"))

    assert trained.read_bytes() == merged.read_bytes()


def test_training_changed_the_weights(built) -> None:
    before, after = (load_file(built.path / "models" / name / "model.safetensors") for name in ("base", "dpo"))

    assert before.keys() == after.keys()
    assert any((before[name] != after[name]).any() for name in before)
