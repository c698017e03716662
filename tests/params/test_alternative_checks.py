"""Checks of alternatives and of what is weighed: each mismatch is one exact line, before anything runs."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelmake import params
from stages import preflight
from stages.params import cross_checks

ROOT = Path(__file__).parents[2]
PARAMS = params.load(ROOT / "params.yaml")
NONE = {"examples": "recipes/no_examples.json", "shots": None, "instructions": None}
SCHEMA = {"type": "object", "properties": {"intent": {"type": "string"}}, "required": ["intent"]}
FEW_SHOT = NONE | {
    "runtime": "transformers", "model": "models/base", "examples": "data/splits/train/chat.jsonl",
    "shots": {"choose": "similar", "n": 4}, "answer_schema": None,
}  # fmt: skip
GUIDED = NONE | {"runtime": "transformers", "model": "models/base", "answer_schema": SCHEMA}
IN_LLAMA = NONE | {
    "runtime": "llama_cpp", "model": "models/quantized/Q8_0", "answer_schema": SCHEMA, "context_tokens": 512,
}  # fmt: skip
ENDPOINT = {
    "base_url": "https://example.org/v1", "api": "openai", "model": "best", "api_key_env": "KEY", "temperature": 0.0,
    "max_tokens": 64, "seed": 1, "requests_per_minute": None, "timeout_s": 60.0, "retries": 2, "parallel": 4,
}  # fmt: skip
CEILING = NONE | {"runtime": "endpoint", "model": "recipes/no_model.json", "endpoint": ENDPOINT}
ALTERNATIVES = {"few_shot": FEW_SHOT, "guided": GUIDED, "in_llama": IN_LLAMA, "ceiling": CEILING}
PRICE = {"once": 0.0, "prompt": 0.1, "answer": 0.4}


def lines(change: Callable[[dict[str, Any]], Any] = lambda _: None) -> list[str]:
    """Problems of the default params with alternatives, after an edit."""
    values = copy.deepcopy(PARAMS)
    values["alternatives"] = copy.deepcopy(ALTERNATIVES)
    prices = {name: dict(PRICE) for name in ("dpo", "base", *ALTERNATIVES)}
    values["weigh"] = {"dpo": {"metric": "exact_match", "margin": 0.02, "currency": "EUR", "prices": prices}}
    values["compare"]["bootstrap_samples"] = 5000
    change(values)
    chapters, found = preflight.decode(values)
    return [line.removeprefix("params.yaml: ") for line in found] or cross_checks.problems(chapters)


@pytest.fixture(autouse=True)
def project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_alternatives_of_every_runtime_are_valid() -> None:
    assert lines() == []


def test_sections_that_are_missing_have_no_entries() -> None:
    values = {name: value for name, value in PARAMS.items() if name not in preflight.OPTIONAL}

    chapters, found = preflight.decode(values)

    assert found == [] and (chapters["alternatives"], chapters["weigh"]) == ({}, {})
    assert cross_checks.problems(chapters) == []


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda v: v["alternatives"]["few_shot"].update(examples="recipes/no_examples.json"),
         "alternatives.few_shot.examples = 'recipes/no_examples.json': want rows of training for shots, or "
         "shots: null"),
        (lambda v: v["alternatives"]["few_shot"].update(shots=None, instructions="Be short."),
         "alternatives.few_shot.examples = 'data/splits/train/chat.jsonl': want recipes/no_examples.json, as no shots "
         "are chosen"),
        (lambda v: v["alternatives"]["guided"].update(answer_schema=None),
         "alternatives.guided.shots = null: want shots, instructions or answer_schema: else this is what `answer` "
         "asks"),
        (lambda v: v["alternatives"]["guided"].update(answer_schema={}),
         "alternatives.guided.answer_schema"),
        (lambda v: v["alternatives"]["in_llama"].update(answer_schema={}),
         "alternatives.in_llama.answer_schema"),
        (lambda v: v["alternatives"]["ceiling"]["endpoint"].update(max_tokens=63),
         "alternatives.ceiling.endpoint.max_tokens = 63: want at least answer.chat.max_new_tokens = 64: answers as "
         "long as those of models"),
        (lambda v: v["alternatives"]["few_shot"].update(model="models/$x"),
         "alternatives.few_shot.model = 'models/$x': want a path without spaces and signs that a shell reads"),
        (lambda v: v["alternatives"]["few_shot"].update(model="models/ppo"),
         "alternatives.few_shot.model = 'models/ppo': want one of models/base, models/dpo, models/sft, or a folder "
         "with config.json"),
        (lambda v: v["alternatives"]["in_llama"].update(model="models/base"),
         "alternatives.in_llama.model = 'models/base': want one of models/quantized/Q8_0, or a folder with "
         "model.gguf"),
        (lambda v: v["alternatives"]["in_llama"].update(context_tokens=64),
         "alternatives.in_llama.context_tokens = 64: want more than answer.chat.max_new_tokens = 64: room for a "
         "prompt"),
        (lambda v: v["alternatives"]["ceiling"]["endpoint"].update(api="anthropic"),
         "alternatives.ceiling.endpoint.seed = 1: want null: Anthropic's messages have none"),
        (lambda v: v["alternatives"]["ceiling"]["endpoint"].update(api_key_env="sk-1"),
         "alternatives.ceiling.endpoint.api_key_env: want the name of an environment variable, such as OPENAI_API_KEY; "
         "never a key"),
        (lambda v: v["alternatives"]["in_llama"]["answer_schema"].update(type="objet"),
         "alternatives.in_llama.answer_schema.type: 'objet' is not valid under any of the given schemas"),
        (lambda v: (v["alternatives"].update(dpo=FEW_SHOT)),
         "alternatives: name 'dpo': is that of a model; rename the alternative"),
        (lambda v: v["weigh"].clear(),
         "weigh: is empty: want the fine-tune that alternatives are held against"),
        (lambda v: v["weigh"]["dpo"]["prices"].pop("few_shot"),
         "weigh.dpo.prices.few_shot: missing; say what it costs"),
        (lambda v: v["weigh"]["dpo"]["prices"].pop("base"), "weigh.dpo.prices.base: missing; say what it costs"),
        (lambda v: v["weigh"]["dpo"]["prices"].update(gpt=PRICE),
         "weigh.dpo.prices.gpt: want one of base, ceiling, dpo, few_shot, guided, in_llama, sft"),
        (lambda v: v["weigh"]["dpo"].update(metric="bleu"),
         "weigh.dpo.metric = 'bleu': want one of compact, exact_match, label_accuracy, schema, slot_f1.product, "
         "slot_f1.urgency, valid_json"),
        (lambda v: v["weigh"]["dpo"]["prices"]["dpo"].update(once=-1.0), "weigh.dpo.prices.dpo.once"),
    ],
)  # fmt: skip
def test_a_mismatch_is_one_line(change: Callable[[dict[str, Any]], Any], line: str) -> None:
    found = lines(change)

    assert any(problem.startswith(line) for problem in found), found


@pytest.mark.parametrize(
    "path",
    [
        "data/splits/test/chat.jsonl", "data/splits/val/chat.jsonl", "data/splits/train/../val/chat.jsonl",
        "data/ingested/rows.jsonl", "data/of_val.jsonl", "data/link.jsonl", str(ROOT / "data/splits/train/chat.jsonl"),
    ],
)  # fmt: skip
def test_examples_come_from_train_alone_wherever_held_out_rows_may_stand(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for there in ("data/splits/val/chat.jsonl", "data/of_val.jsonl"):
        (tmp_path / there).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / there).touch()
    (tmp_path / "data/link.jsonl").symlink_to("splits/val/chat.jsonl")
    monkeypatch.chdir(tmp_path)

    found = lines(lambda v: v["alternatives"]["few_shot"].update(examples=path))

    assert (
        f"alternatives.few_shot.examples = {path!r}: want rows of data/splits/train, such as "
        "data/splits/train/chat.jsonl, or recipes/no_examples.json: any other file may have held-out rows; rows of "
        "your own belong into ingest.raw"
    ) in found


@pytest.mark.parametrize("name", ["guided", "in_llama"])
def test_a_schema_that_cannot_be_enforced_is_told_before_anything_runs(name: str) -> None:
    [line] = lines(lambda v: v["alternatives"][name].update(answer_schema=SCHEMA | {"uniqueItems": True}))

    assert line.startswith(f"alternatives.{name}.answer_schema: llguidance cannot bind answers by it: ")
    assert "uniqueItems" in line and line.endswith("; leave that out here")


def test_a_margin_outside_of_the_range_of_the_metric_is_told() -> None:
    found = lines(lambda v: v["weigh"]["dpo"].update(margin=1.5))

    assert any(line.startswith("weigh.dpo.base.bound = -1.5: want -1 to 1") for line in found), found


def test_a_model_that_the_graph_does_not_evaluate_cannot_be_weighed() -> None:
    found = lines(lambda v: v.update(weigh={"sftt": v["weigh"]["dpo"]}))

    assert "weigh: name 'sftt': want one of base, sft, dpo: models of evaluate" in found
