"""Merging: the merged model computes the same as model and adapter, or the build stops."""

import re
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from modelmake.errors import UserError
from stages import merge
from tests.tiny_models import build_model


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


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_merge_that_changes_the_model_stops_the_build(tmp_path: Path, dtype: str) -> None:
    """PEFT merges the update of a tied embedding twice."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    start = build_model(tmp_path / "start", dtype=dtype)
    config = LoraConfig(
        task_type="CAUSAL_LM", r=4, target_modules=["embed_tokens"], init_lora_weights=False, ensure_weight_tying=True
    )
    get_peft_model(AutoModelForCausalLM.from_pretrained(start, dtype="auto"), config).save_pretrained(tmp_path / "a")

    with pytest.raises(UserError) as error:
        merge.main(start, tmp_path / "a", tmp_path / "merged", "step", None)

    limit = {"float32": "0.0001", "bfloat16": "0.05"}[dtype]
    assert re.sub(r"by [\d.e-]+ from", "by N from", str(error.value)) == (
        f"{tmp_path}/a: the merged model's logits differ by N from those of model and adapter, relative to their norm: "
        f"want at most {limit} for torch.{dtype}; train other modules, or all weights"
    )
    assert not (tmp_path / "merged").exists()


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_rounding_to_the_dtype_of_the_weights_is_no_fault(tmp_path: Path, dtype: str) -> None:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    start = build_model(tmp_path / "start", dtype=dtype)
    config = LoraConfig(task_type="CAUSAL_LM", r=4, target_modules="all-linear", init_lora_weights=False)
    get_peft_model(AutoModelForCausalLM.from_pretrained(start, dtype="auto"), config).save_pretrained(tmp_path / "a")

    assert merge.main(start, tmp_path / "a", tmp_path / "merged", "step", None) == "adapter merged into 14 modules"


def reward_adapter(folder: Path, seed: int) -> tuple[Path, Path]:
    """A reward model in bfloat16, and a random adapter of it with a random head."""
    import torch
    from peft import LoraConfig, get_peft_model

    from stages.training import task_types

    start = build_model(folder / "start", dtype="bfloat16")
    torch.manual_seed(seed)
    config = LoraConfig(task_type="SEQ_CLS", r=4, target_modules="all-linear", init_lora_weights=False)
    get_peft_model(task_types.load("SEQ_CLS", start, dtype="auto"), config).save_pretrained(folder / "a")
    return start, folder / "a"


@pytest.mark.parametrize("seed", range(10))
def test_a_score_near_0_is_no_fault_of_merging(tmp_path: Path, seed: int) -> None:
    start, adapter = reward_adapter(tmp_path, seed)

    assert merge.main(start, adapter, tmp_path / "merged", "step", None) == "adapter merged into 15 modules"


def test_a_merge_that_changes_a_reward_model_stops_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from peft import LoraModel

    start, adapter = reward_adapter(tmp_path, 0)
    monkeypatch.setattr(LoraModel, "merge_and_unload", lambda self, **_: self.unload())

    with pytest.raises(UserError, match="the merged model's hidden states differ by "):
        merge.main(start, adapter, tmp_path / "merged", "step", None)
