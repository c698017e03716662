"""Checks between chapters of params: each mismatch is one exact line."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelmake import params
from stages import preflight
from stages.params import cross_checks
from stages.params.training import Sft

PARAMS = params.load(Path(__file__).parents[2] / "params.yaml")
BOUNDS = {"max_difference": 1.0, "min_same_answers": None}
AWQ = {
    "tool": "llmcompressor", "from": "dpo", "calibration": {"rows": "chat", "num_calibration_samples": 8},
    "max_seq_length": 64, "device": "cpu",
}  # fmt: skip
IN_TRANSFORMERS = {"runtime": "compressed_tensors"}
TEXT_SUITE = {"rows": "text", "metrics": ["bits_per_byte"]}
LIKELIHOOD = {"kind": "likelihood", "batch_size": 1, "context_tokens": 512}
SAMPLED = {
    "kind": "sampled", "max_new_tokens": 8, "batch_size": 1, "num_return_sequences": 2, "temperature": 1.0,
    "top_k": None, "top_p": 1.0, "seed": 1,
}  # fmt: skip


GATE = {"model": "dpo", "metric": "exact_match", "against": None, "bound": 0.5, "where": None}


def problems(change: Callable[[dict[str, Any]], Any]) -> list[str]:
    """Problems of the default params after an edit."""
    values = copy.deepcopy(PARAMS)
    change(values)
    chapters, chapter_problems = preflight.decode(values)
    assert chapter_problems == []
    return cross_checks.problems(chapters)


def add_texts(values: dict[str, Any], **changes: Any) -> None:
    """Adds a suite of texts."""
    values["answer"]["text"], values["suites"]["text"] = LIKELIHOOD | changes, TEXT_SUITE
    values["evaluate"]["suites"].append("text")


def gate_a_text_suite(values: dict[str, Any], metric: str) -> None:
    """Adds a suite of texts, and a gate on a metric."""
    add_texts(values)
    values["compare"]["gates"]["sft_answers"]["metric"] = metric


def as_awq(values: dict[str, Any], **changes: Any) -> None:
    """Only one quantized file, of awq."""
    values.update(quantize={"awq": AWQ | changes}, answer_quantized={"awq": IN_TRANSFORMERS}, parity={"awq": BOUNDS})


def kto_step(values: dict[str, Any]) -> dict[str, Any]:
    """The dpo step as one of kto."""
    step = {name: value for name, value in values["train"]["dpo"].items() if not name.startswith("loss_")}
    return step | {"method": "kto", "rows": "judged", "desirable_weight": 1.0, "undesirable_weight": 1.0}


def test_judged_rows_can_be_trained_on() -> None:
    assert problems(lambda v: (v["train"].update(kto=kto_step(v)), v["ingest"].update(judged="rows"))) == []


def test_the_default_params_have_no_mismatch() -> None:
    assert problems(lambda values: None) == []


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda v: v["train"]["dpo"].update({"from": "stf"}),
         "train.dpo.from = 'stf': no such step: want one of base, sft"),
        (lambda v: v["train"]["sft"].update({"from": "dpo"}),
         "train: dpo from sft from dpo: steps in a circle; start one from base"),
        (lambda v: v["train"]["sft"].update({"from": "sft"}),
         "train: sft from sft: steps in a circle; start one from base"),
        (lambda v: v["train"].update(Upper=v["train"]["sft"]), "train: name 'Upper': want [a-z0-9_]+; rename it"),
        (lambda v: v["train"].update(base=v["train"]["sft"]),
         "train: name 'base': is taken in models/; rename the step"),
        (lambda v: v["evaluate"]["models"].append("sftt"), "evaluate.models = 'sftt': want one of base, dpo, sft"),
        (lambda v: v["evaluate"]["suites"].append("chta"), "evaluate.suites = 'chta': want one of chat"),
        (lambda v: v["compare"]["gates"]["sft_answers"].update(metric="bleu"),
         "compare.gates.sft_answers.metric = 'bleu': want one of compact, exact_match, label_accuracy, schema, "
         "slot_f1.product, slot_f1.urgency, valid_json"),
        (lambda v: v["compare"]["gates"]["sft_answers"].update(against="none"),
         "compare.gates.sft_answers.against = 'none': want one of base, dpo, sft"),
        (lambda v: v["compare"].update(baseline="bse"), "compare.baseline = 'bse': want one of base, dpo, sft"),
        (lambda v: [v[name].update(Q4_K_M=v[name]["Q8_0"]) for name in ("quantize", "answer_quantized", "parity")],
         "quantize: name 'Q4_K_M': want one of F32, F16, BF16, Q8_0, Q5_0, Q4_0 with tool = gguf"),
        (lambda v: v["quantize"].update(Q8_0={"tool": "llama_cpp", "from": "dpo", "calibration": None}),
         "quantize: name 'Q8_0': want one of Q6_K, Q5_K_M, Q4_K_M, Q3_K_M, Q2_K with tool = llama_cpp"),
        (lambda v: v["quantize"]["Q8_0"].update({"from": "dop"}),
         "quantize.Q8_0.from = 'dop': want one of base, dpo, sft"),
        (lambda v: [v[section].update(F16=v[section]["Q8_0"]) for section in ("quantize", "answer_quantized")],
         "parity.F16: missing; say how far quantize.F16 may be from its model"),
        (lambda v: [v[section].update(F16=v[section]["Q8_0"]) for section in ("quantize", "parity")],
         "answer_quantized.F16: missing; say what answers from the file of quantize.F16"),
        (lambda v: v["parity"].update(F16=v["parity"]["Q8_0"]),
         "parity.F16: no such entry of quantize; want one of Q8_0"),
        (lambda v: v["answer_quantized"].update(F16=v["answer_quantized"]["Q8_0"]),
         "answer_quantized.F16: no such entry of quantize; want one of Q8_0"),
        (lambda v: v["answer_quantized"].update(Q8_0=IN_TRANSFORMERS),
         "answer_quantized.Q8_0.runtime = 'compressed_tensors': want llama_cpp for what gguf writes"),
        (lambda v: v.update(quantize={}, answer_quantized={}, parity={}),
         "quantize: is empty: want at least one entry"),
        (lambda v: v["card"].update(model="dop"), "card.model = 'dop': want one of base, dpo, sft"),
        (lambda v: v["machine"].update(device="cuda"),
         "resources.model.gpu = 0: want 1 or more for machine.device = 'cuda'"),
        (lambda v: v["resources"]["model"].update(gpu=1),
         "resources.model.gpu = 1: want 0: no stage of this kind uses one"),
        (lambda v: v["resources"]["weights"].update(gpu=1),
         "resources.weights.gpu = 1: want 0: no stage of this kind uses one"),
        (lambda v: as_awq(v, device="cuda"),
         "resources.weights.gpu = 0: want 1 or more for quantize.awq.device"),
        (lambda v: (as_awq(v), v["machine"].update(device="cuda"), v["resources"]["model"].update(gpu=8)),
         "resources.weights.gpu = 0: want 1 or more for answer_quantized.awq.runtime"),
        (lambda v: (v["answer"]["chat"].update(max_new_tokens=512),
                    v["answer_quantized"]["Q8_0"].update(context_tokens=999)),
         "answer.chat.max_new_tokens = 512: want room for a prompt in base.max_position_embeddings = 512"),
        (lambda v: add_texts(v, context_tokens=513),
         "answer.text.context_tokens = 513: want at most base.max_position_embeddings = 512"),
        (lambda v: v["answer_quantized"]["Q8_0"].update(context_tokens=64),
         "answer_quantized.Q8_0.context_tokens = 64: want more than answer.chat.max_new_tokens = 64: room for a "
         "prompt"),
        (lambda v: (v["suites"].update(text=TEXT_SUITE), v["evaluate"]["suites"].append("text")),
         "answer.text: missing; say how models answer suites.text"),
        (lambda v: v["answer"].update(text=LIKELIHOOD), "answer.text: no such suite; want one of chat"),
        (lambda v: (add_texts(v), v["answer"].update(text=v["answer"]["chat"])),
         "answer.text.kind = 'greedy': want 'likelihood' for suites.text.rows = 'text'"),
        (lambda v: v["answer"].update(chat=LIKELIHOOD),
         "answer.chat.kind = 'likelihood': want 'greedy' or 'sampled' for suites.chat.rows = 'chat'"),
        (lambda v: v["answer"].update(chat=SAMPLED),
         "answer.chat.kind = 'sampled': want 'greedy' for compare.suite: parity and report compare one answer with "
         "another"),
        (lambda v: (v["answer"].update(pair=SAMPLED), v["suites"].update(pair=v["suites"]["chat"])),
         "suites.pair.rows = 'chat': want 'pair': data/splits/test/pair.jsonl has those"),
        (lambda v: v["base"].update(source="data/mixed/txt.jsonl"),
         "base.source = 'data/mixed/txt.jsonl': want one of chat.jsonl, pair.jsonl, judged.jsonl, text.jsonl there"),
        (lambda v: (v["suites"].update(mine=v["suites"]["chat"]), v["answer"].update(mine=v["answer"]["chat"]),
                    v["evaluate"]["suites"].append("mine")),
         "evaluate.suites = 'mine': split writes no such rows: want one of chat, pair, judged, text, golden"),
        (lambda v: gate_a_text_suite(v, "bits_per_byte"),
         "compare.gates.sft_answers.metric = 'bits_per_byte': want one of compact, exact_match, label_accuracy, "
         "schema, slot_f1.product, slot_f1.urgency, text.bits_per_byte, valid_json"),
        (lambda v: v["train"].update(kto=kto_step(v)),
         "ingest.judged = 'pairs': want 'rows' for train.kto: there would be no judged rows, as good answers become "
         "chats, and bad ones rejected answers of pairs"),
        (lambda v: v["ingest"].update(documents={"max_chars": 2001, "headings": True}),
         "ingest.documents.max_chars = 2001: want at most clean.max_chars = 2000: longer pieces would be dropped"),
    ],
    ids=lambda value: value.split(": ")[0] if isinstance(value, str) else "",
)  # fmt: skip
def test_each_mismatch_is_one_exact_line(change: Callable[[dict[str, Any]], Any], line: str) -> None:
    assert problems(change) == [line]


@pytest.mark.parametrize(
    ("metric", "against", "bound", "wanted"),
    [
        ("exact_match", None, 0.999, ""),
        ("exact_match", None, 1.0, "1: want less: no number of rows shows that there are no worse ones"),
        ("exact_match", None, 80.0, "80: want 0 to 1, the range of exact_match"),
        ("exact_match", "base", -1.0, ""),
        ("exact_match", "base", -2.0, "-2: want -1 to 1, the range of differences of exact_match"),
        ("exact_match", "base", 1.0, "1: want less: no number of rows shows that there are no worse ones"),
        ("text.bits_per_byte", None, 80.0, ""),
        ("text.bits_per_byte", None, 0.0, "0: want more: no number of rows shows that there are no worse ones"),
        ("text.bits_per_byte", None, -0.5, "-0.5: want at least 0, the range of text.bits_per_byte"),
        ("text.bits_per_byte", "base", -0.5, ""),
    ],
)
def test_a_bound_is_in_the_range_of_its_metric(metric: str, against: str | None, bound: float, wanted: str) -> None:
    def change(values: dict[str, Any]) -> None:
        gate_a_text_suite(values, metric)
        values["compare"]["gates"]["sft_answers"] |= {"against": against, "bound": bound}

    assert problems(change) == ([f"compare.gates.sft_answers.bound = {wanted}"] if wanted else [])


def test_a_suite_that_is_not_compared_may_be_sampled() -> None:
    def change(values: dict[str, Any]) -> None:
        values["answer"]["golden"], values["suites"]["golden"] = SAMPLED, values["suites"]["chat"]
        values["evaluate"]["suites"].append("golden")

    assert problems(change) == []


@pytest.mark.parametrize(
    ("metric", "where", "wanted"),
    [
        ("exact_match", {"intent": "refund", "urgency": "low"}, ""),
        ("exact_match", {"label": "refund"},
         "label: want one of intent, product, urgency: fields of the answers that exact_match is of"),
        ("text.bits_per_byte", {"intent": "refund"},
         "intent: want null: no field of the answers that text.bits_per_byte is of"),
    ],
)  # fmt: skip
def test_a_slice_is_of_fields_that_the_answers_have(metric: str, where: dict[str, str], wanted: str) -> None:
    def change(values: dict[str, Any]) -> None:
        gate_a_text_suite(values, metric)
        values["compare"]["gates"]["sft_answers"] |= {"where": where}

    assert problems(change) == ([f"compare.gates.sft_answers.where.{wanted}"] if wanted else [])


def test_metrics_of_a_suite_of_texts_can_be_gated() -> None:
    assert problems(lambda values: gate_a_text_suite(values, "text.bits_per_byte")) == []


def test_a_loss_is_bounded_only_of_a_metric_of_the_compared_suite() -> None:
    def change(values: dict[str, Any]) -> None:
        values["parity"]["Q8_0"]["max_losses"] = {"compact": 0.01, "tool_call": 0.01}

    wanted = "want one of exact_match, valid_json, schema, label_accuracy, compact"
    assert problems(change) == [f"parity.Q8_0.max_losses: 'tool_call': {wanted}"]


def test_bounds_of_an_older_params_yaml_are_enough() -> None:
    assert problems(lambda values: values["parity"].update(Q8_0=BOUNDS)) == []


def test_parity_needs_exact_match_in_the_compared_suite() -> None:
    def change(values: dict[str, Any]) -> None:
        values["suites"]["chat"]["metrics"] = ["compact"]
        values["compare"]["gates"] = {"compact": GATE | {"metric": "compact", "bound": 0.9}}

    assert problems(change) == ["suites.chat.metrics: want exact_match among them: parity and report need it"]


@pytest.mark.parametrize(
    ("second", "line"),
    [
        ("models/dpo", "train: dpo from sft second_model dpo: steps in a circle; start one from base"),
        ("models/sft", "train: sft second_model sft: steps in a circle; start one from base"),
        ("models/gone", "train.sft.second_model = 'models/gone': no such step: want one of base, dpo"),
        ("models/trained/dpo", "train.sft.second_model = 'models/trained/dpo': no such step: want one of base, dpo"),
        ("models/base", ""),
        ("elsewhere/model", ""),
    ],
)
def test_a_second_model_of_this_graph_is_base_or_a_step_that_comes_before(
    second: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Sft, "second_model_as", lambda _: "a teacher")

    assert problems(lambda v: v["train"]["sft"].update(second_model=second)) == ([line] if line else [])


def test_a_circle_is_reported_once_and_not_for_steps_that_only_lead_to_it() -> None:
    def change(values: dict[str, Any]) -> None:
        sft = values["train"].pop("sft")
        values["train"] |= {
            name: sft | {"from": start} for name, start in zip("abcd", ("b", "c", "b", "base"), strict=True)
        }
        values["train"]["dpo"]["from"] = "base"
        values["evaluate"]["models"] = ["base", "dpo"]
        values["compare"]["gates"] = {}

    assert problems(change) == ["train: b from c from b: steps in a circle; start one from base"]


def test_checks_that_need_a_chapter_that_could_not_be_decoded_are_left_out() -> None:
    chapters, _ = preflight.decode(PARAMS)

    for name in chapters:
        assert cross_checks.problems(chapters | {name: None}) == []


def test_an_optimizer_that_pages_on_gpus_alone_is_refused_on_a_cpu() -> None:
    def change(values: dict[str, Any], **machine: Any) -> None:
        values["train"]["dpo"]["optim"] = "paged_ademamix_8bit"
        values["machine"] |= machine
        values["resources"]["model"]["gpu"] = int(bool(machine))

    assert problems(change) == [
        "train.dpo.optim = 'paged_ademamix_8bit': want ademamix_8bit with machine.device = 'cpu'"
    ]
    assert problems(lambda values: change(values, device="cuda")) == []


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"against": "sft", "bound": -0.1},
         "against = 'sft': want another model, or null: a model is as good as itself"),
        ({"metric": "macro_f1"},
         "metric = 'macro_f1': a row of a rare label moves it far: want label_accuracy, with `where` for a label"),
    ],
)  # fmt: skip
def test_a_gate_that_would_show_nothing_is_refused(changes: dict[str, Any], wanted: str) -> None:
    def change(values: dict[str, Any]) -> None:
        values["suites"]["chat"]["metrics"].append("macro_f1")
        values["compare"]["gates"]["sft_answers"] |= changes

    assert problems(change) == [f"compare.gates.sft_answers.{wanted}"]
