"""Combinations in params.yaml: each mistake is one exact line, before anything is trained."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from modelmake import params
from stages import preflight
from stages.params import cross_checks
from tests.conftest import ROOT

PARAMS = params.load(ROOT / "params.yaml")
BOTH = {
    "from": "sft", "adapters": ["dpo", "tone"], "weights": [0.5, 1.0], "method": "cat", "svd_rank": None,
    "density": None, "majority_sign_method": None, "seed": None, "quantization": None,
}  # fmt: skip
NF4 = {
    "load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True,
    "bnb_4bit_compute_dtype": "float32",
}  # fmt: skip
Change = Callable[[dict[str, Any]], Any]


def problems(change: Change) -> list[str]:
    """Problems of params with two adapters and their combination, after an edit."""
    values = copy.deepcopy(PARAMS)
    values["train"]["tone"] = copy.deepcopy(values["train"]["dpo"])
    values["combine"] = {"both": copy.deepcopy(BOTH)}
    change(values)
    chapters, found = preflight.decode(values)
    return found or cross_checks.problems(chapters)


def of(values: dict[str, Any], **changes: object) -> None:
    values["combine"]["both"].update(changes)


def of_weights(values: dict[str, Any], **changes: object) -> None:
    values["train"]["tone"]["weights"].update(changes)


def reward_step(values: dict[str, Any]) -> dict[str, Any]:
    fields = {name: value for name, value in values["train"]["dpo"].items() if not name.startswith(("beta", "loss_"))}
    return fields | {"method": "reward"}


def more(values: dict[str, Any], **changes: object) -> None:
    """One more combination, of the first and of `dpo`."""
    values["combine"]["more"] = BOTH | {"adapters": ["both", "dpo"]} | changes


SOUND: dict[str, Change] = {
    "as it is": lambda v: None,
    "evaluated": lambda v: v["evaluate"]["models"].append("both"),
    "on the card": lambda v: v["card"].update(model="both"),
    "quantized": lambda v: (v["evaluate"]["models"].append("both"), v["quantize"]["Q8_0"].update({"from": "both"})),
    "trained on": lambda v: v["train"].update(more=v["train"]["dpo"] | {"from": "both"}),
    "combined again": more,
    "DoRA by svd": lambda v: (of_weights(v, use_dora=True), of(v, method="svd", svd_rank=128)),
    "PiSSA by cat": lambda v: of_weights(v, init_lora_weights="pissa"),
    "of unequal ranks by cat": lambda v: of_weights(v, r=8),
    "of unequal ranks by ties_svd": lambda v: (
        of_weights(v, r=8), of(v, method="ties_svd", svd_rank=8, density=0.2, majority_sign_method="total"),
    ),
    "QLoRA": lambda v: (v["train"]["tone"].update(quantization=NF4), v["train"]["dpo"].update(quantization=NF4),
                        of(v, quantization=NF4)),
}  # fmt: skip


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_combination_is_no_problem(name: str) -> None:
    assert problems(SOUND[name]) == []


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda v: of(v, adapters=["dpo"]),
         "adapters: found 1, want 2: combine two, and their combination with the next"),
        (lambda v: of(v, weights=[1.0, 1.0, 1.0]),
         "weights: found 3, want 2: combine two, and their combination with the next"),
        (lambda v: of(v, adapters=["dpo", "dpo"]), "adapters = ['dpo', 'dpo']: the same twice: want two"),
        (lambda v: of(v, weights=[1.0, 0.0]),
         "weights = [1.0, 0.0]: want none that is 0: such an adapter adds nothing"),
        (lambda v: of(v, method="svd"), "svd_rank = null: want a value: svd needs it"),
        (lambda v: of(v, svd_rank=8), "svd_rank = 8: want null: cat does not read it"),
        (lambda v: of(v, method="magnitude_prune"), "density = null: want a value: magnitude_prune needs it"),
        (lambda v: of(v, method="dare_linear", density=0.5), "seed = null: want a value: dare_linear needs it"),
        (lambda v: of(v, majority_sign_method="total"),
         "majority_sign_method = 'total': want null: cat does not read it"),
        (lambda v: of(v, density=0.0, method="magnitude_prune"), "density = 0.0: expected `float` > 0.0"),
        (lambda v: of(v, method="full_svd"),
         "method = 'full_svd': want one of cat, linear, svd, ties, dare_linear, dare_ties, magnitude_prune, ties_svd, "
         "dare_linear_svd, dare_ties_svd, magnitude_prune_svd"),
    ],
)  # fmt: skip
def test_each_mistake_in_a_combination_is_one_exact_line(change: Change, line: str) -> None:
    assert problems(change) == [f"params.yaml: combine.both.{line}"]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda v: of(v, adapters=["dpo", "gone"]),
         "combine.both.adapters[1] = 'gone': no such step: want one of base, dpo, sft, tone"),
        (lambda v: of(v, adapters=["dpo", "base"]),
         "combine.both.adapters[1] = 'base': want a step that trains an adapter, or a combination by cat"),
        (lambda v: v["train"]["tone"].update({"from": "base"}),
         "combine.both.adapters[1] = 'tone': from = 'base': want that of the combination, 'sft': both change one "
         "model"),
        (lambda v: v["train"]["tone"].update(quantization=NF4),
         "combine.both.adapters[1] = 'tone': quantization = 4 bits, as it has them: want that of the combination, "
         "null: both change one model"),
        (lambda v: v["train"]["tone"].update(weights={"kind": "all"}),
         "combine.both.adapters[1] = 'tone': weights.kind = 'all': want lora, which leaves an adapter"),
        (lambda v: of_weights(v, use_dora=True),
         "combine.both.adapters[1] = 'tone': weights.use_dora = True: want svd or another method of svd: cat cannot "
         "add magnitudes"),
        (lambda v: of_weights(v, modules_to_save=["lm_head"]),
         "combine.both.adapters[1] = 'tone': weights.modules_to_save = ['lm_head']: want []: a combination would lose "
         "whole weights"),
        (lambda v: of_weights(v, trainable_token_indices=[3]),
         "combine.both.adapters[1] = 'tone': weights.trainable_token_indices = [3]: want []: a combination would lose "
         "whole weights"),
        (lambda v: (of_weights(v, init_lora_weights="pissa"), of(v, method="linear")),
         "combine.both.method = 'linear': want cat or svd for adapters of ranks 32 and 64"),
        (lambda v: v["train"].update(tone=reward_step(v)),
         "combine.both.adapters = 'tone': want a model that answers: it scores answers"),
        (lambda v: (of_weights(v, r=8), of(v, method="linear")),
         "combine.both.method = 'linear': want cat or svd for adapters of ranks 8 and 32"),
        (lambda v: more(v, method="linear"),
         "combine.more.method = 'linear': want cat or svd for adapters of ranks 32 and 64"),
        (lambda v: (of(v, method="linear"), more(v)),
         "combine.more.adapters[0] = 'both': method = 'linear': want cat, which is exact: the error of this one would "
         "not show"),
        (lambda v: v.update(combine={"sft": BOTH}), "combine: name 'sft': is taken in models/; rename the combination"),
        (lambda v: v.update(combine={"trained": BOTH}),
         "combine: name 'trained': is taken in models/; rename the combination"),
        (lambda v: v.update(combine={"Both": BOTH}), "combine: name 'Both': want [a-z0-9_]+; rename it"),
        (lambda v: v["evaluate"]["models"].append("neither"),
         "evaluate.models = 'neither': want one of base, both, dpo, sft, tone"),
    ],
)  # fmt: skip
def test_each_mismatch_with_the_steps_is_one_exact_line(change: Change, line: str) -> None:
    assert problems(change) == [line]


def test_a_circle_of_combinations_is_told_and_nothing_hangs() -> None:
    def change(values: dict[str, Any]) -> None:
        values["combine"] = {
            "a": BOTH | {"adapters": ["b", "dpo"]},
            "b": BOTH | {"adapters": ["a", "tone"]},
        }

    assert problems(change) == ["combine: a adapters[0] b adapters[0] a: steps in a circle; start one from base"]


def test_a_step_from_a_combination_of_itself_is_a_circle() -> None:
    lines = problems(lambda v: v["train"]["tone"].update({"from": "both"}))

    assert "combine: both adapters[1] tone from both: steps in a circle; start one from base" in lines
