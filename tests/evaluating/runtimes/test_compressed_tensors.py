"""A packed folder is read as vLLM will read it; one that was saved again after a forward is refused."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from modelmake.errors import UserError
from stages.evaluating.forced import Forced
from stages.evaluating.runtimes import compressed_tensors, transformers_logits
from tests.tiny_models import build_model, edit_json, pack

ROW = Forced([at * 7 % 380 for at in range(1, 60)], [*range(20, 50)])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model(tmp_path_factory.mktemp("model"), hidden_size=128, intermediate_size=256)


@pytest.fixture(scope="module")
def packed(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pack(model, tmp_path_factory.mktemp("packed") / "model")


def read(folder: Path) -> np.ndarray:
    with compressed_tensors.reading(folder, longest=64, device="cpu", dtype="float32") as reader:
        return np.concatenate([*reader.logits(ROW)])


def test_a_packed_folder_is_read_and_is_not_its_model(model: Path, packed: Path) -> None:
    compressed_tensors.check(packed)
    with transformers_logits.reading(model, longest=64, device="cpu", dtype="float32") as reader:
        expected = np.concatenate([*reader.logits(ROW)])

    error = np.abs(read(packed) - expected).mean() / expected.std()
    assert 0.001 < error < 0.5
    assert compressed_tensors.tensor_types(packed)["I32"] >= 14  # seven matrices of two layers


def test_what_vllm_samples_by_is_told(packed: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(packed, tmp_path / "copy")
    assert compressed_tensors.sampling_defaults(folder) == {}

    edit_json(folder / "generation_config.json", do_sample=True, temperature=0.6, top_p=0.95, eos_token_id=4)
    assert compressed_tensors.sampling_defaults(folder) == {"temperature": 0.6, "top_p": 0.95}


def test_a_folder_that_was_saved_after_a_forward_is_refused(packed: Path, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    network = AutoModelForCausalLM.from_pretrained(packed)
    with torch.no_grad():
        network(input_ids=torch.tensor([ROW.ids]))
    network.save_pretrained(tmp_path / "again")
    for file in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(packed / file, tmp_path / "again" / file)

    with pytest.raises(UserError, match=r"config\.json says pack-quantized, and its weights are dense"):
        compressed_tensors.generate(
            tmp_path / "again", [], max_new_tokens=8, batch_size=1, device="cpu", dtype="float32",
            checkpoint=tmp_path / "none",
        )  # fmt: skip
