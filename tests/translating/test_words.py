"""No field of a step is lost in silence on its way to another trainer."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from modelmake.errors import UserError
from stages.commands import export, init
from stages.params.training import Step
from stages.translating import axolotl, llamafactory, torchtune, words
from stages.translating.words import Beside, InRows, Same, Source, Split, Word
from tests.conftest import ROOT

TOOLS = {"axolotl": axolotl, "llamafactory": llamafactory, "torchtune": torchtune}
SOURCE = Source(Path("models/base"), "meta-llama/Llama-3.1-8B-Instruct", "bfloat16", "cuda")


def step(recipe: str, name: str, **changes: Any) -> Step:
    values = init.values(ROOT / f"recipes/{recipe}.yaml", ROOT / "recipes/default.yaml")["train"][name]
    weights = {**values["weights"], **changes.pop("weights", {})}
    return msgspec.convert({**values, "weights": weights, **changes}, Step)


EVERY = [
    step("default", "sft"), step("default", "dpo"), step("llama3_1_8b", "sft"),
    step("smollm2_135m_cpt_sft_dpo", "cpt"),
]  # fmt: skip


@pytest.mark.parametrize("tool", TOOLS)
def test_a_table_has_every_field_of_its_methods_and_no_other(tool: str) -> None:
    module, known = TOOLS[tool], set()
    for each in EVERY:
        if type(each).__struct_config__.tag in module.METHODS:
            known |= words.fields(each).keys()
    quantized = {name for name in known if name.startswith("quantization.")}

    # torchtune rounds to 4 bits otherwise, so a step that does has no word for it there
    assert known - (quantized if tool == "torchtune" else set()) <= module.TABLE.keys()
    assert module.TABLE.keys() - known <= {"rows", "method"}


def test_each_kind_of_entry_says_a_value_or_tells_it() -> None:
    table = {
        "a": Word("A"), "b": Word("B", {1: "one"}), "c": Word("C", {1: "one"}), "d": Same((0,), "it has none"),
        "e": Same((0,), "it has none"), "f": Beside("look"), "g": InRows(), "h": Split("low", "high"),
        "i": Split("low_i", "high_i"), "k": Word("K"),
    }  # fmt: skip
    given = {"a": 3, "b": 1, "c": 2, "d": 0, "e": 4, "f": 5, "g": 6, "h": 0.1, "i": 7, "j": 8, "k": None}

    found = words.translate(given, table)

    assert found.config == {"A": 3, "B": "one", "low": 0.1, "high_i": 7}
    assert found.beside == ["f = 5: look"]
    assert found.lost == {"c": "2: want one of 1", "e": "4: it has none", "j": "8: has no word there"}


@pytest.mark.parametrize(
    ("tool", "given", "lost"),
    [
        ("axolotl", step("llama3_1_8b", "sft"), []),
        ("axolotl", step("default", "sft", best={"metric": "eval_loss", "patience": None}), ["best"]),
        ("axolotl", step("smollm2_135m_cpt_sft_dpo", "cpt"), ["packing"]),
        ("llamafactory", step("llama3_1_8b", "sft"), []),
        ("llamafactory", step("default", "dpo"), ["loss_type", "loss_weights"]),
        ("llamafactory", step("smollm2_135m_cpt_sft_dpo", "dpo"), []),
        ("llamafactory", step("default", "dpo", weights={"init_lora_weights": "olora"}),
         ["loss_type", "loss_weights", "weights.init_lora_weights"]),
        ("torchtune", step("default", "sft"), ["chat_template"]),
        ("torchtune", step("llama3_1_8b", "sft", quantization=None, num_train_epochs=0.5),
         ["num_train_epochs", "chat_template"]),
    ],
)  # fmt: skip
def test_what_changes_meaning_stops_the_export_until_it_is_accepted_by_name(
    tool: str, given: Step, lost: list[str]
) -> None:
    if lost:
        with pytest.raises(UserError) as error:
            export.translated(given, TOOLS[tool], SOURCE, "train.x", tool, [])
        told = {line.partition(" = ")[0].removeprefix("train.x.") for line in str(error.value).splitlines()}
        assert told == set(lost)
        assert all(f"; {tool} has no word for it: " in line for line in str(error.value).splitlines())

    assert set(export.translated(given, TOOLS[tool], SOURCE, "train.x", tool, lost).lost) == set(lost)


@pytest.mark.parametrize(
    ("tool", "given", "source", "wanted"),
    [
        ("axolotl", step("default", "dpo"), SOURCE, r"train.x.method = 'dpo': want one of sft, cpt for axolotl"),
        ("torchtune", step("default", "sft"), SOURCE._replace(repo="Qwen/Qwen3-0.6B"),
         r"base.source: Qwen/Qwen3-0.6B: want one of meta-llama"),
        ("axolotl", step("default", "sft", weights={"kind": "half", "rotate_steps": None}), SOURCE,
         r"weights.kind = 'half': want one of 'all', 'lora'"),
    ],
)  # fmt: skip
def test_methods_models_and_ways_that_a_tool_has_not_are_refused(
    tool: str, given: Step, source: Source, wanted: str
) -> None:
    with pytest.raises(UserError, match=wanted):
        export.translated(given, TOOLS[tool], source, "train.x", tool, [])


def test_what_is_accepted_and_not_lost_is_refused() -> None:
    with pytest.raises(UserError, match=r"--accept seed: nothing of it is lost"):
        export.translated(step("default", "sft"), axolotl, SOURCE, "train.x", "axolotl", ["seed"])
