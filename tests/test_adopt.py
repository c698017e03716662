"""Adopting: the merged model computes what base and adapter do, or nothing is written."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from modelmake.errors import UserError
from stages import adopt
from stages.params.adoption import Adoption
from tests.tiny_models import build_model, edit_json

ADOPTION = Adoption(from_="base", adapter="data/adapter", quantization=None)


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model(tmp_path_factory.mktemp("start"), num_hidden_layers=1)


def bare(start: Path, folder: Path) -> tuple[Path, Any]:
    """An adapter of rsLoRA that bare PEFT saved, without a task, and its model."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    config = LoraConfig(r=4, use_rslora=True, target_modules=["q_proj", "down_proj"], init_lora_weights=False)
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(start), config).eval()
    model.save_pretrained(folder)
    return folder, model


def test_an_adapter_of_bare_peft_is_merged(start: Path, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    folder, model = bare(start, tmp_path / "adapter")

    line = adopt.main(start, folder, tmp_path / "merged", "theirs", ADOPTION)

    assert line.startswith("adapter merged into 2 modules of base; its config names ")
    tokens = torch.arange(40)[None]
    with torch.no_grad():
        merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")(tokens).logits
        torch.testing.assert_close(merged, model(tokens).logits, atol=1e-4, rtol=1e-4)
    assert (tmp_path / "merged/chat_template.jinja").is_file()


def test_all_that_is_wrong_is_told_with_the_entry_and_nothing_is_written(start: Path, tmp_path: Path) -> None:
    folder, _ = bare(start, tmp_path / "adapter")
    edit_json(folder / "adapter_config.json", target_modules=["q_proj", "k_proj"])

    with pytest.raises(UserError) as error:
        adopt.main(start, folder, tmp_path / "merged", "theirs", ADOPTION)

    lines = str(error.value).splitlines()
    assert len(lines) == 2 and all(line.startswith(f"adopt.theirs: {folder}: 2 of 4 tensors ") for line in lines)
    assert not (tmp_path / "merged").exists()


def test_a_whole_model_is_copied(start: Path, tmp_path: Path) -> None:
    line = adopt.main(start, start, tmp_path / "merged", "released", ADOPTION)

    assert line == "a whole model, copied; its rows are unknown"
    files = {file.name: file.read_bytes() for file in (tmp_path / "merged").iterdir()}
    assert files == {file.name: file.read_bytes() for file in start.iterdir()}


def test_a_whole_model_with_code_or_pickles_or_without_a_template_is_refused(start: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(start, folder)
    edit_json(folder / "config.json", auto_map={"AutoModelForCausalLM": "theirs.Model"})
    (folder / "pytorch_model.bin").touch()
    (folder / "chat_template.jinja").unlink()

    with pytest.raises(UserError) as error:
        adopt.main(start, folder, tmp_path / "merged", "released", ADOPTION)

    assert str(error.value).splitlines() == [
        f"adopt.released: {folder}/pytorch_model.bin: a pickle, which is never read: want safetensors alone",
        f"adopt.released: {folder}/config.json: auto_map: code of its author is never run; take a model without",
        f"adopt.released: {folder}: no chat_template.jinja: want it, as `merge` writes it",
    ]
