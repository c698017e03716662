"""Every way: the trained model, its adapter on the model that training started from, and the merged model are one."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from safetensors.numpy import load_file

from stages import merge
from stages.exporting import gguf_writer
from stages.params.weights import Quantization
from stages.training import qlora
from tests.tiny_models import build_model
from tests.training.made_up_ways import ADALORA, ADAPTERS, LORA, distance, logits, step, train_step

NF4 = Quantization(
    load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype="float32"
)
ROUNDING = 0.005  # adapters beside 4 bits compute in bfloat16 while they are trained
ON_4_BITS = {
    "LoRA": LORA,
    "DoRA": replace(LORA, use_dora=True),
    "rsLoRA": replace(LORA, use_rslora=True),
    "LoRA and the output": replace(LORA, modules_to_save=["lm_head"]),
    "LoRA and tokens": replace(LORA, trainable_token_indices=[2, 3, 4]),
    "AdaLoRA": replace(ADALORA, lora_alpha=64),
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Path]:
    """{whether embedding and output matrix are one: model}."""
    return {tied: build_model(tmp_path_factory.mktemp("model"), tie_word_embeddings=tied) for tied in (True, False)}


@pytest.mark.parametrize(
    ("name", "tied"), [(name, tied) for name in ADAPTERS for tied in (True, False) if not (tied and "tokens" in name)]
)
def test_trained_adapted_and_merged_are_one(models: dict[bool, Path], tmp_path: Path, name: str, tied: bool) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    start = models[tied]
    trained = logits(train_step(start, tmp_path, step(ADAPTERS[name])).model)
    merge.main(start, tmp_path / "trained", tmp_path / "merged", "step", None)

    untrained = AutoModelForCausalLM.from_pretrained(start)
    before = logits(untrained)
    adapted = logits(PeftModel.from_pretrained(untrained, str(tmp_path / "trained")))
    merged = logits(AutoModelForCausalLM.from_pretrained(tmp_path / "merged"))
    assert distance(before, trained) > 0.01, "else nothing would be told apart"
    assert distance(adapted, trained) < 1e-4
    assert distance(merged, trained) < 1e-4


@pytest.mark.parametrize("name", ON_4_BITS)
def test_trained_adapted_and_merged_are_one_beside_4_bits(models: dict[bool, Path], tmp_path: Path, name: str) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    start = models[False]
    trained = logits(train_step(start, tmp_path, step(ON_4_BITS[name], quantization=NF4)).model)
    merge.main(start, tmp_path / "trained", tmp_path / "merged", "step", NF4)

    untrained = qlora.load_4bit(start, NF4, "cpu")
    before = logits(untrained)
    adapted = logits(PeftModel.from_pretrained(untrained, str(tmp_path / "trained")))
    merged = logits(AutoModelForCausalLM.from_pretrained(tmp_path / "merged"))
    assert distance(before, trained) > 10 * ROUNDING, "else nothing would be told apart"
    assert distance(adapted, trained) < ROUNDING
    assert distance(merged, trained) < ROUNDING


@pytest.mark.parametrize("module", ["embed_tokens", "lm_head"])
def test_a_tied_matrix_that_was_trained_whole_is_one_of_two_from_then_on(
    models: dict[bool, Path], tmp_path: Path, module: str
) -> None:
    import gguf
    from transformers import AutoConfig

    train_step(models[True], tmp_path, step(replace(LORA, modules_to_save=[module])))
    merge.main(models[True], tmp_path / "trained", tmp_path / "merged", "step", None)
    gguf_writer.write_gguf(tmp_path / "merged", tmp_path / "merged.gguf", "F32")

    before = load_file(models[True] / "model.safetensors")["model.embed_tokens.weight"]
    after = load_file(tmp_path / "merged/model.safetensors")
    served = {tensor.name: tensor.data for tensor in gguf.GGUFReader(tmp_path / "merged.gguf").tensors}
    kept, changed = ("lm_head", "model.embed_tokens") if module == "embed_tokens" else ("model.embed_tokens", "lm_head")
    assert not AutoConfig.from_pretrained(tmp_path / "merged").tie_word_embeddings
    assert (after[f"{kept}.weight"] == before).all()
    assert abs(after[f"{changed}.weight"] - before).max() > 0.01
    assert (served["output.weight"] == after["lm_head.weight"]).all()
    assert (served["token_embd.weight"] == after["model.embed_tokens.weight"]).all()
