"""The base model: pretrained here, copied or fetched, and never with code or pickles."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from modelmake.errors import UserError
from stages import base
from stages.params.base_model import Folder, Tiny
from stages.params.machine import Machine
from stages.training import device


def folder(path: Path, **config: object) -> Path:
    path.mkdir()
    (path / "config.json").write_text(json.dumps(config))
    (path / "tokenizer.json").write_text("{}")
    (path / "tokenizer_config.json").write_text('{"chat_template": "own", "eos_token": "e"}')
    (path / "model.safetensors").write_bytes(b"weights")
    return path


def test_a_model_folder_is_copied_without_pickles_and_code(tmp_path: Path) -> None:
    source = folder(tmp_path / "source", model_type="llama")
    (source / "pytorch_model.bin").write_bytes(b"pickle")
    (source / "modeling.py").write_text("import os")

    base.copy_model(source, tmp_path / "base", None)

    assert {file.name for file in (tmp_path / "base").iterdir()} == {
        "config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors",
    }  # fmt: skip


def test_a_folder_without_safetensors_is_refused(tmp_path: Path) -> None:
    source = folder(tmp_path / "source")
    (source / "model.safetensors").unlink()

    with pytest.raises(UserError, match=r"source: missing model.safetensors: want a Hugging Face model folder"):
        base.copy_model(source, tmp_path / "base", None)


def test_weights_are_the_files_that_the_index_names(tmp_path: Path) -> None:
    source = folder(tmp_path / "source")
    (source / "model.safetensors").rename(source / "model-00001-of-00002.safetensors")
    (source / "consolidated.safetensors").write_bytes(b"the same once more")
    weight_map = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (source / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))

    with pytest.raises(UserError, match=r"source: missing model-00002-of-00002.safetensors: want"):
        base.copy_model(source, tmp_path / "base", None)
    (source / "model-00002-of-00002.safetensors").write_bytes(b"weights")
    base.copy_model(source, tmp_path / "base", None)

    assert {file.name for file in (tmp_path / "base").glob("*.safetensors")} == set(weight_map.values())


def test_a_chat_template_in_params_replaces_the_models_own(tmp_path: Path) -> None:
    source = folder(tmp_path / "source")

    base.copy_model(source, tmp_path / "base", "from params")

    assert (tmp_path / "base/chat_template.jinja").read_text() == "from params"
    assert json.loads((tmp_path / "base/tokenizer_config.json").read_text()) == {"eos_token": "e"}


def test_the_template_for_tools_is_copied_unless_params_replace_all(tmp_path: Path) -> None:
    source = folder(tmp_path / "source")
    (source / "additional_chat_templates").mkdir()
    (source / "additional_chat_templates/tool_use.jinja").write_text("tools")

    base.copy_model(source, tmp_path / "own", None)
    base.copy_model(source, tmp_path / "replaced", "from params")

    assert (tmp_path / "own/additional_chat_templates/tool_use.jinja").read_text() == "tools"
    assert not (tmp_path / "replaced/additional_chat_templates").exists()


def test_a_model_without_a_chat_template_is_refused(tmp_path: Path) -> None:
    source = folder(tmp_path / "source")
    (source / "tokenizer_config.json").write_text("{}")

    with pytest.raises(UserError, match=r"source: no chat template: want one; write it into base.chat_template"):
        base.copy_model(source, tmp_path / "base", None)


PHI3 = {"AutoConfig": "configuration_phi3.Phi3Config", "AutoModelForCausalLM": "modeling_phi3.Phi3ForCausalLM"}


def test_code_that_transformers_took_over_is_left_out(tmp_path: Path) -> None:
    source = folder(tmp_path / "source", model_type="phi3", auto_map=PHI3)

    base.copy_model(source, tmp_path / "base", None)

    assert json.loads((tmp_path / "base/config.json").read_text()) == {"model_type": "phi3"}


@pytest.mark.parametrize(
    ("model_type", "auto_map"),
    [(None, {"AutoModel": "modeling.Model"}), ("llama", PHI3), ("phi3", PHI3 | {"AutoTokenizer": "own.Tokenizer"})],
)
def test_remote_code_is_refused(tmp_path: Path, model_type: str | None, auto_map: dict[str, str]) -> None:
    source = folder(tmp_path / "source", model_type=model_type, auto_map=auto_map)

    with pytest.raises(UserError, match=r"auto_map asks for code from the model's author"):
        base.copy_model(source, tmp_path / "base", None)


def test_the_tiny_model_stops_at_its_own_token_and_pads_with_another(built) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(built.path / "models/base")
    conversation = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ok"}]
    encoded = tokenizer.apply_chat_template(conversation, return_dict=True, return_assistant_tokens_mask=True)

    assert tokenizer.pad_token != tokenizer.eos_token
    assert tokenizer.decode(encoded["input_ids"]) == "<|user|>hi<|end|><|assistant|>ok<|end|>"
    trained_on = [i for i, mask in zip(encoded["input_ids"], encoded["assistant_masks"], strict=True) if mask]
    assert tokenizer.decode(trained_on) == "ok<|end|>"


def test_what_is_pretrained_does_not_depend_on_how_many_gpus_are_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    params = Tiny(
        source="", vocab_size=300, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=1,
        max_position_embeddings=32, max_steps=4, per_device_train_batch_size=2, block_tokens=16, learning_rate=0.01,
        warmup_steps=1, weight_decay=0.0, seed=1,
    )  # fmt: skip
    texts = [f"{number} bottles of beer on the wall" for number in range(40)]
    tokenizer = base.train_tokenizer(texts, params)
    on_cpu = base.pretrain(texts, tokenizer, params, Machine("cpu", "float32", 1), tmp_path / "cpu")[1]
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(device, "prepare", lambda machine: None)

    assert base.pretrain(texts, tokenizer, params, Machine("cuda", "float32", 1), tmp_path / "gpus")[1] == on_cpu


@pytest.mark.parametrize(
    ("readme", "licence"), [("---\nlicense: apache-2.0\n---\n", "apache-2.0"), ("# A model\n", None)]
)
def test_the_licence_that_a_folder_declares_is_in_the_log_and_is_told(
    tmp_path: Path, readme: str, licence: str | None
) -> None:
    source = folder(tmp_path / "source")
    save_file({"weights": np.zeros((2, 3), np.float32)}, source / "model.safetensors")
    (source / "README.md").write_text(readme)
    told = base.main(
        source, tmp_path / "base", tmp_path / "log.json", tmp_path, Folder(source="source", chat_template=None),
        Machine(device="cpu", dtype="float32", threads=1),
    )  # fmt: skip

    assert json.loads((tmp_path / "log.json").read_text())["license"] == licence
    assert told == f"folder model of 6 parameters; licence by its README.md: {licence or 'not declared'}"
