"""Steps that answer, and reward models: what could not be learned, or is used as what it is not, is one exact line."""

import copy
import re
from collections.abc import Callable
from typing import Any

import pytest

from modelmake import params
from stages import preflight
from stages.params import cross_checks
from tests.conftest import ROOT

PARAMS = params.load(ROOT / "params.yaml")
NO_MODEL = "recipes/no_model.json"
GRPO = {
    "method": "grpo", "rows": "chat", "rewards": {"exact_match": 1.0, "second_model": 0.5}, "label": None, "slots": [],
    "answer_schema": None, "num_generations": 4, "max_completion_length": 64, "temperature": 1.0, "beta": 0.0,
    "loss_type": "dapo", "scale_rewards": "group", "second_model": "models/rm",
}  # fmt: skip
NAMES = (
    "exact_match, tool_call, final_number, pass_at_1, valid_json, schema, field_accuracy, slot_f1, slot_f1_partial, "
    "label_accuracy, compact, rouge_l, chrf, refused_allowed, refused_disallowed, pii_leaked, length, "
    "repetition, second_model"
)


def problems(change: Callable[[dict[str, Any]], Any]) -> list[str]:
    """Problems of the default params with a reward model and a step of grpo, after an edit."""
    values = copy.deepcopy(PARAMS)
    step = {n: v for n, v in values["train"]["dpo"].items() if not n.startswith("loss_") and n != "beta"}
    values["train"] |= {
        "rm": copy.deepcopy(step) | {"method": "reward", "rows": "pair"},
        "grpo": copy.deepcopy(step | GRPO),
    }
    change(values["train"] | values)
    chapters, chapter_problems = preflight.decode(values)
    return chapter_problems or cross_checks.problems(chapters)


def test_a_reward_model_scores_the_answers_of_grpo_and_rloo() -> None:
    assert problems(lambda v: None) == []
    assert problems(lambda v: (v["grpo"].update(method="rloo", normalize_advantages=True),
                               [v["grpo"].pop(name) for name in ("loss_type", "scale_rewards")])) == []  # fmt: skip


def test_a_reward_model_cannot_be_quantized_or_combined() -> None:
    adapters = {"from": "sft", "adapters": ["dpo", "rm"], "weights": [0.5, 0.5], "method": "cat", "svd_rank": None,
                "density": None, "majority_sign_method": None, "seed": None, "quantization": None}  # fmt: skip
    assert "combine.two.adapters = 'rm': want a model that answers: it scores answers" in problems(
        lambda v: v["combine"].update(two=adapters)
    )
    assert "quantize.Q8_0.from = 'rm': want a model that answers: it scores answers" in problems(
        lambda v: v["quantize"]["Q8_0"].update({"from": "rm"})
    )


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda v: v["evaluate"]["models"].append("rm"),
         "evaluate.models = 'rm': want a model that answers: it scores answers"),
        (lambda v: v["card"].update(model="rm"), "card.model = 'rm': want a model that answers: it scores answers"),
        (lambda v: v["grpo"].update({"from": "rm"}),
         "train.grpo.from = 'rm': want a model that answers: it scores answers"),
        (lambda v: v["grpo"].update(second_model="models/sft"),
         "train.grpo.second_model = 'models/sft': want a step with method = reward"),
        (lambda v: v["grpo"].update(max_completion_length=512),
         "train.grpo.max_completion_length = 512: want room for a prompt in base.max_position_embeddings = 512"),
        (lambda v: v["grpo"].update(rewards={}, second_model=NO_MODEL),
         f"train.grpo.rewards: is empty: want one of {NAMES}"),
        (lambda v: v["grpo"]["rewards"].update(bleu=1.0), f"train.grpo.rewards.bleu: want one of {NAMES}"),
        (lambda v: v["grpo"].update(rewards={"exact_match": 1.0}),
         "second_model = 'models/rm': want recipes/no_model.json: grpo uses no second model"),
        (lambda v: v["grpo"].update(second_model=NO_MODEL),
         f"second_model = {NO_MODEL!r}: want the folder of a reward model for grpo: models/<step>, or another "
         "model's"),
        (lambda v: v["grpo"]["rewards"].update(label_accuracy=1.0),
         "train.grpo.label = null: want a value: label_accuracy needs it"),
        (lambda v: v["grpo"].update(num_generations=5),
         "num_generations = 5: want a divisor of per_device_train_batch_size × gradient_accumulation_steps = 16, the "
         "answers of a step"),
        (lambda v: v["grpo"].update(over_long="truncate"),
         "over_long = 'truncate': want drop or error: a prompt without its end asks something else"),
        (lambda v: v["grpo"]["weights"].update(lora_dropout=0.1),
         "weights.lora_dropout = 0.1: want 0: grpo has no dropout"),
        (lambda v: v["grpo"].update(stop_on=["divergence", "overfitting"]),
         "stop_on = ['divergence', 'overfitting']: want []: grpo tells rewards, no loss that could diverge or overfit"),
        (lambda v: v["grpo"]["weights"].update(target_modules=["lm_head"]),
         "weights.target_modules: want no lm_head: TRL computes the loss without its adapter"),
        (lambda v: v["rm"]["weights"].update(lora_dropout=0.1),
         "weights.lora_dropout = 0.1: want 0: reward has no dropout"),
        (lambda v: v["rm"].update(over_long="truncate"),
         "over_long = 'truncate': want drop or error: the end of an answer is where it is scored"),
        (lambda v: v["rm"].update(quantization={
            "load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True,
            "bnb_4bit_compute_dtype": "float32"}),
         "quantization: want null: the score is no layer of a model in 4 bits"),
    ],
)  # fmt: skip
def test_each_misuse_is_one_line(change: Callable[[dict[str, Any]], Any], line: str) -> None:
    found = problems(change)

    assert [re.sub(r"^params.yaml: train.(grpo|rm).", "", problem) for problem in found] == [line]
