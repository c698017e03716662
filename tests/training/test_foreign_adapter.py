"""What PEFT would pass over in silence is told of an adapter that was trained elsewhere."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stages.training import foreign_adapter
from tests.tiny_models import TEMPLATE, build_model, build_tokenizer, edit_json


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model(tmp_path_factory.mktemp("start"), num_hidden_layers=1)


@pytest.fixture
def adapter(start: Path, tmp_path: Path) -> Callable[..., Path]:
    """The folder of an adapter, as bare PEFT saves it."""

    def build(**options: Any) -> Path:
        from peft import LoraConfig, get_peft_model
        from transformers import AutoModelForCausalLM

        config = {"r": 4, "target_modules": ["q_proj", "up_proj"], "init_lora_weights": False} | options
        model = get_peft_model(AutoModelForCausalLM.from_pretrained(start), LoraConfig(**config))
        model.save_pretrained(tmp_path / "adapter")
        return tmp_path / "adapter"

    return build


@pytest.mark.parametrize(
    "options",
    [
        {}, {"use_rslora": True, "lora_alpha": 3}, {"use_dora": True}, {"rank_pattern": {"up_proj": 2}},
        {"modules_to_save": ["lm_head"]}, {"target_modules": "all-linear", "task_type": "CAUSAL_LM"},
    ],
    ids=["plain", "rsLoRA", "DoRA", "two ranks", "trained whole", "all linear"],
)  # fmt: skip
def test_what_bare_peft_saves_has_its_place(start: Path, adapter, options: dict[str, Any]) -> None:
    folder = adapter(**options)

    assert foreign_adapter.problems(folder) == foreign_adapter.unlike(folder, start) == []


def test_tensors_without_a_place_and_missing_ones_and_other_shapes_are_told(start: Path, adapter) -> None:
    folder = adapter()
    edit_json(folder / "adapter_config.json", r=8, target_modules=["q_proj", "k_proj"])

    no_place, missing, shapes = foreign_adapter.unlike(folder, start)

    layer = "base_model.model.model.layers.0"
    assert f": 2 of 4 tensors have no place in the model: {layer}.mlp.up_proj.lora_A.weight, " in no_place
    assert f": 2 of 4 tensors are named by the config and missing: {layer}.self_attn.k_proj.lora_A.weight, " in missing
    assert f"{layer}.self_attn.q_proj.lora_A.weight (4, 64) for (8, 64)" in shapes


def test_an_adapter_of_another_base_is_told(start: Path, adapter, tmp_path: Path) -> None:
    other = build_model(tmp_path / "other", num_hidden_layers=1, hidden_size=32, head_dim=16)

    [shapes] = foreign_adapter.unlike(adapter(), other)

    assert ": 2 of 4 tensors have another shape: " in shapes and "q_proj.lora_A.weight (4, 64) for (4, 32)" in shapes


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"peft_type": "PREFIX_TUNING"}, "peft_type = 'PREFIX_TUNING': want LORA"),
        ({"task_type": "SEQ_CLS"}, "task_type = 'SEQ_CLS': want CAUSAL_LM"),
        ({"init_lora_weights": "pissa"}, "init_lora_weights = 'pissa': want an adapter of the base as it is stored"),
    ],
)
def test_configs_that_cannot_be_merged_are_told(tmp_path: Path, changes: dict[str, str], problem: str) -> None:
    config = {"peft_type": "LORA", "task_type": None, "init_lora_weights": True} | changes
    (tmp_path / "adapter_config.json").write_text(json.dumps(config))
    (tmp_path / "adapter_model.safetensors").touch()

    [found] = foreign_adapter.problems(tmp_path)

    assert found.startswith(f"{tmp_path}/adapter_config.json: {problem}")


def test_a_pickle_and_a_folder_without_an_adapter_are_told(tmp_path: Path) -> None:
    assert foreign_adapter.problems(tmp_path)[0].startswith(f"{tmp_path}: no adapter_config.json: want the folder")
    (tmp_path / "adapter_config.json").write_text("{}")
    assert foreign_adapter.problems(tmp_path)[0].startswith(f"{tmp_path}: no adapter_model.safetensors: want")
    (tmp_path / "adapter_model.bin").write_bytes(b"pickle")
    assert "adapter_model.bin is a pickle, which is never read" in foreign_adapter.problems(tmp_path)[0]


def test_a_tokenizer_beside_the_adapter_writes_chats_as_the_models_own(start: Path, tmp_path: Path) -> None:
    assert foreign_adapter.other_words(tmp_path, start) == []
    marked = TEMPLATE.replace("{% generation %}", "").replace("{% endgeneration %}", "")
    build_tokenizer(tmp_path / "same", chat_template=marked)
    build_tokenizer(tmp_path / "other", chat_template=TEMPLATE.replace("<|end|>", "\n"))
    build_tokenizer(tmp_path / "more")
    tokenizer = json.loads((tmp_path / "more/tokenizer.json").read_text())
    tokenizer["added_tokens"].append(tokenizer["added_tokens"][0] | {"id": 380, "content": "<new>"})
    (tmp_path / "more/tokenizer.json").write_text(json.dumps(tokenizer))

    assert foreign_adapter.other_words(tmp_path / "same", start) == []
    [other] = foreign_adapter.other_words(tmp_path / "other", start)
    assert "its chat template writes '<|user|>Hi\\n<|assistant|>'" in other
    [more] = foreign_adapter.other_words(tmp_path / "more", start)
    assert "'<new>' has another id in" in more
