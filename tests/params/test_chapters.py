"""Chapters of params: each problem within a chapter is one exact line."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from modelmake import params
from stages import preflight
from stages.params.evaluation import AnswerMetric
from stages.params.training import Sft

PARAMS = params.load(Path(__file__).parents[2] / "params.yaml")
NF4 = {
    "load_in_4bit": True,
    "bnb_4bit_quant_type": "nf4",
    "bnb_4bit_use_double_quant": True,
    "bnb_4bit_compute_dtype": "float32",
}
AWQ = {"tool": "llmcompressor", "from": "dpo", "max_seq_length": 256, "device": "cpu"}
SEMANTIC = {"threshold": 0.95, "neighbours": 16, "max_tokens": 256, "batch_size": 32}
TEACHER = {"second_model": "models/base", "beta": 0.0, "temperature": 1.0, "alpha": 1.0}
TEXT_SUITE = {"rows": "text", "metrics": ["exact_match"]}


def as_kto(values: dict[str, Any], **changes: object) -> None:
    """Makes the dpo step one of kto."""
    step = values["train"]["dpo"]
    weights = {"desirable_weight": 1.0, "undesirable_weight": 1.0}
    values["train"]["dpo"] = step | {"method": "kto", "rows": "judged"} | weights | changes
    for name in ("loss_type", "loss_weights"):
        del values["train"]["dpo"][name]


def as_orpo(values: dict[str, Any], **changes: object) -> None:
    """Makes the dpo step one of orpo."""
    step = {name: value for name, value in values["train"]["dpo"].items() if not name.startswith("loss_")}
    values["train"]["dpo"] = step | {"method": "orpo"} | changes


def test_a_method_that_uses_a_second_model_wants_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sft, "second_model_as", lambda _: "a teacher")

    assert preflight.decode(PARAMS)[1] == [
        "params.yaml: train.sft.second_model = 'recipes/no_model.json': want the folder of a teacher for sft: "
        "models/<step>, or another model's"
    ]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda v: v["train"]["sft"].update(learning_rat=1),
         "train.sft.learning_rat: unknown key; did you mean learning_rate?"),
        (lambda v: v["train"].update({"x; touch y": v["train"]["sft"]}),
         "train: name 'x; touch y': want only letters, digits and _ ([A-Za-z0-9_]+); rename it"),
        (lambda v: v["quantize"]["Q8_0"].update(calibration={"rows": "chat", "num_calibration_samples": 8}),
         "quantize.Q8_0.calibration = {'rows': 'chat', 'num_calibration_samples': 8}: want null, got a section"),
        (lambda v: v["quantize"].update(awq=AWQ | {"calibration": 8}),
         "quantize.awq.calibration = 8: want a section of its own, got a whole number"),
        (lambda v: v["train"]["sft"].update(quantization=NF4),
         "train.sft.quantization: want null where weights.kind = all: 4-bit weights cannot be trained"),
        (lambda v: v["train"]["dpo"].update(quantization=NF4 | {"load_in_4bit": False}),
         "train.dpo.quantization.load_in_4bit = False: want true; or write `quantization: null`"),
        (lambda v: v["train"]["sft"].update(second_model="models/base"),
         "train.sft.second_model = 'models/base': want recipes/no_model.json: sft uses no second model"),
        (lambda v: v["train"]["sft"].update(TEACHER | {"method": "distill", "alpha": 0.0}),
         "train.sft.alpha = 0.0: want more: nothing would come from the teacher; or use sft"),
        (lambda v: as_orpo(v, over_long="truncate"),
         "train.dpo.over_long = 'truncate': want drop or error: a truncated pair may lose what makes it a preference"),
        (lambda v: v["train"]["sft"].update(omit=["content"]),
         "train.sft.omit[0] = 'content': want one of reasoning_content, tools"),
        (lambda v: as_kto(v, per_device_train_batch_size=1),
         "train.dpo.per_device_train_batch_size = 1: want 2 or more: kto compares the answers of a batch"),
        (lambda v: as_kto(v, over_long="truncate"),
         "train.dpo.over_long = 'truncate': want drop or error: the judgement is of the whole answer"),
        (lambda v: v["answer"]["chat"].update(batch_size="x"),
         "answer.chat.batch_size = 'x': want a whole number, got text"),
        (lambda v: v["answer"]["chat"].update(kind="beam"),
         "answer.chat.kind = 'beam': want one of greedy, likelihood, sampled"),
        (lambda v: v["answer"]["chat"].update(temperature=0.7), "answer.chat.temperature: unknown key; want one of "
         "batch_size, max_new_tokens"),
        (lambda v: v["machine"].update(device="gpu"), "machine.device = 'gpu': want one of cpu, cuda"),
        (lambda v: v["suites"]["chat"]["metrics"].append("blue"),
         f"suites.chat.metrics[6] = 'blue': want one of {', '.join(get_args(AnswerMetric))}"),
        (lambda v: v["train"]["dpo"]["weights"].update(target_modules=[]),
         "train.dpo.weights.target_modules: is empty: want all-linear, or names of layers"),
        (lambda v: v["train"]["dpo"].update(loss_weights=[0.0, 0.0]),
         "train.dpo.loss_weights: none is above 0: want one that is, or nothing is trained"),
        (lambda v: v["train"]["dpo"].update(loss_type=[], loss_weights=[]),
         "train.dpo.loss_weights: none is above 0: want one that is, or nothing is trained"),
        (lambda v: v["suites"]["chat"].update(label=None),
         "suites.chat.label = null: want a value: label_accuracy needs it"),
        (lambda v: v["suites"]["chat"].update(answer_schema=None),
         "suites.chat.answer_schema = null: want a value: schema needs it"),
        (lambda v: v["suites"]["chat"].update(label=None, metrics=["macro_f1"]),
         "suites.chat.label = null: want a value: macro_f1 needs it"),
        (lambda v: v["suites"]["chat"].update(slots=[]),
         "suites.chat.slots = []: want names of fields: slot_f1 needs it"),
        (lambda v: v["suites"]["chat"].update(slots=[], metrics=["slot_f1_partial"]),
         "suites.chat.slots = []: want names of fields: slot_f1_partial needs it"),
        (lambda v: v["suites"]["chat"].update(answer_schema=None, metrics=["field_accuracy"]),
         "suites.chat.answer_schema = null: want a value: field_accuracy needs it"),
        (lambda v: v["suites"]["chat"].update(answer_schema={}, metrics=["field_accuracy"]),
         "suites.chat.answer_schema.properties: has no fields: want those that field_accuracy measures"),
        (lambda v: v["suites"]["chat"].update(answer_schema={"type": "object"}, metrics=["field_accuracy"]),
         "suites.chat.answer_schema.properties: has no fields: want those that field_accuracy measures"),
        (lambda v: v["suites"]["chat"].pop("rows"), "suites.chat.rows = None: want one of chat, pair, text"),
        (lambda v: v["suites"].update(text=TEXT_SUITE),
         "suites.text.metrics[0] = 'exact_match': want one of bits_per_byte, perplexity, token_accuracy"),
        (lambda v: v["ingest"].update(documents={"max_chars": 0, "headings": True}),
         "ingest.documents.max_chars = 0: expected `int` >= 1"),
        (lambda v: v["clean"].update(pii=["email"]), "clean.pii = ['email']: want a section of its own, got a list"),
        (lambda v: v["clean"]["pii"].update(drop=["mail"]),
         "clean.pii.drop[0] = 'mail': want one of api_key, iban, national_id, card, email, ip, phone, person, "
         "location"),
        (lambda v: v["clean"]["pii"].update(report=["email"]),
         "clean.pii.email: is named 2 times: want one action for it"),
        (lambda v: v["clean"]["pii"].update(report=["national_id"]),
         "clean.pii.countries: is empty: want the countries whose national_id to look for, such as [US, DE]"),
        (lambda v: v["clean"]["pii"].update(report=["person"]), "clean.pii.person: wants presidio with a model"),
        (lambda v: v["clean"]["pii"].update(presidio={"language": "en", "model": "big", "min_score": 0.5}),
         "clean.pii.presidio.model = 'big': want name==version, such as en_core_web_lg==3.8.0"),
        (lambda v: v["clean"].update(languages={"allowed": ["eng"], "min_letters": 20, "min_probability": 0.9}),
         "clean.languages.allowed: 'eng': want a code of ISO 639-1, such as en"),
        (lambda v: v["clean"].update(languages={"allowed": [], "min_letters": 20, "min_probability": 0.9}),
         "clean.languages.allowed: is empty: want a language, or write languages: null"),
        (lambda v: v["clean"]["refusals"].update(acts=[" "]), "clean.refusals.acts[0]: is empty: want words"),
        (lambda v: v["clean"]["refusals"].update(phrases=[], unable=[]),
         "clean.refusals.phrases: is empty, and so is unable: want some, or write refusals: null"),
        (lambda v: v["clean"].update(white_space="strip"),
         "clean.white_space = 'strip': want one of prose, keep"),
        (lambda v: v["dedup"].update(semantic={**SEMANTIC, "threshold": 1.1}),
         "dedup.semantic.threshold = 1.1: expected `float` <= 1.0"),
        (lambda v: v["split"].update(time={"val_from": "soon", "test_from": "2026-01-31"}),
         "split.time.val_from = 'soon': want ISO 8601, or seconds since 1970"),
        (lambda v: v["split"].update(time={"val_from": "2026-02-01", "test_from": "2026-01-31"}),
         "split.time.val_from = '2026-02-01': want it no later than test_from = '2026-01-31'"),
    ],
    ids=lambda value: value.split(": ")[0] if isinstance(value, str) else "",
)  # fmt: skip
def test_each_problem_is_one_exact_line(change: Callable[[dict[str, Any]], Any], line: str) -> None:
    values = copy.deepcopy(PARAMS)
    change(values)

    _, problems = preflight.decode(values)

    assert problems == [f"params.yaml: {line}"]
