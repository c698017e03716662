"""Edits of params.yaml by section. The report shows all but `resources` and `datasheet`, so it has to run."""

import re

from benchmarks.edits.edit import ANSWER, END, EVALUATE, OF_DPO, OF_SFT, OF_VARIANT, TRAIN, Edit, add, params
from tests.conftest import Project

TRAINED = {"plots", "card", "report"}  # stages that show a training log


def sections(project: Project) -> None:
    """Puts `dedup` before `clean`."""
    text = project.read("params.yaml")
    first, second = text.index("clean:\n"), text.index("dedup:\n")
    project.write("params.yaml", text[:first] + text[second:] + "\n" + text[first:second])


def step(project: Project) -> str:
    """The lines of train.sft as those of another step."""
    text = project.read("params.yaml")
    return text[text.index("  sft:\n") : text.index("  dpo:\n")].replace("  sft:", "  extra:").replace("0.002", "0.005")


def one_step_more(project: Project) -> None:
    project.edit("params.yaml", "  dpo:\n    method", f"{step(project)}  dpo:\n    method")


def one_step_less(project: Project) -> None:
    text = project.read("params.yaml")
    project.write("params.yaml", text[: text.index("  extra:\n")] + text[text.index("  dpo:\n") :])


def two_adapters(project: Project) -> None:
    """Adds train.extra, as train.dpo with another learning rate."""
    text = project.read("params.yaml")
    dpo = text[text.index("  dpo:\n    method") : text.index("combine:")].rstrip()
    extra = dpo.replace("  dpo:", "  extra:").replace("0.003", "0.005")
    project.edit("params.yaml", dpo, f"{dpo}\n{extra}")


def one_combination_more(project: Project) -> None:
    entry = (
        "{from: sft, adapters: [dpo, extra], weights: [0.5, 0.5], method: cat, svd_rank: null, density: null, "
        "majority_sign_method: null, seed: null, quantization: null}"
    )
    project.edit("params.yaml", "combine: {}", f"combine:\n  both: {entry}")


def one_examination(project: Project) -> None:
    entry = "{model: dpo, against: sft, suite: chat, metric: exact_match, confidence: 0.95, min_rows: 5, %s}"
    add("params.yaml", f"\nexamine:\n  last: {entry % 'regressions: 5, nearest: 1'}\n")(project)


def one_variant(project: Project) -> None:
    """Adds a suite of the held-out questions in capitals."""
    variant = "{rows: data/splits/test/chat.jsonl, system_prompt: keep, typos: 0.0, spaces: 0.0, case: upper, seed: 1}"
    suite = "{rows: chat, metrics: [exact_match], label: null, slots: [], answer_schema: null}"
    project.edit("params.yaml", "\nevaluate:\n", f"\nevaluate:\n  variants:\n    loud: {variant}\n")
    for section, entry in (
        ("kind: greedy", "{kind: greedy, max_new_tokens: 8, batch_size: 64}"),
        ("rows: chat", suite),
    ):
        project.edit("params.yaml", f"\n  chat:\n    {section}", f"\n  loud: {entry}\n  chat:\n    {section}")


def one_quant_more(project: Project) -> None:
    """Adds F16 beside Q8_0 in each section that has an entry, of one line or of more."""
    entry = re.compile(r"^  Q8_0:.*\n(?:    .*\n)*", re.MULTILINE)
    text = entry.sub(lambda found: found[0] + found[0].replace("Q8_0", "F16"), project.read("params.yaml"))
    project.write("params.yaml", text)


EDITS = {
    "a comment in params.yaml": Edit(params("train:\n", "train: # steps\n"), (), "no value changes"),
    "the order of sections": Edit(sections, (), "no value changes"),
    "another spelling of a number": Edit(
        params("learning_rate: 0.004", "learning_rate: 4e-3"), (), "0.004", suite=True,
    ),
    "resources: minutes of a stage": Edit(
        params("weights: {mem_mb: 2000, minutes: 30, gpu: 0}", "weights: {mem_mb: 2000, minutes: 31, gpu: 0}"), (),
        "a scheduler reads it and no stage does",
    ),
    "machine: threads": Edit(
        params("float32\n  threads: 1", "float32\n  threads: 2"),
        {"base", *TRAIN, *ANSWER, "answer_quantized@Q8_0", "report"},
        "sums in another order: all that runs a model", {"merge@sft", *EVALUATE, *OF_DPO, "plots"},
    ),
    "ingest: a bound": Edit(
        params("max_rejected_fraction: 0.02", "max_rejected_fraction: 0.03"), {"ingest", "report"},
        "ingest judges by it",
    ),
    "clean: the longest row": Edit(
        params("max_chars: 2000", "max_chars: 1999"), {"clean", "augment", "datasheet", "report"},
        "both drop by it; here the same rows",
    ),
    "dedup and split: the hash's seed": Edit(
        params("bands: 16, seed: 1, threads: 1}", "bands: 16, seed: 2, threads: 1}"),
        {"dedup", "split", "augment", "report"}, "other candidates, the same duplicates",
    ),
    "mix: a target": Edit(
        params("multi_turn: null", "multi_turn: [0.0, 0.5]"), {"mix", "report"}, "the mix is held against it; the same",
        {"card"},
    ),
    "datasheet: a bound": Edit(
        params("max_label_share: 0.5", "max_label_share: 0.6"), {"datasheet"}, "it warns by it; here of the same",
    ),
    "base: the seed": Edit(
        params("weight_decay: 0.05\n  seed: 42", "weight_decay: 0.05\n  seed: 43"),
        {"base", "train@sft", "answer@base-chat", *TRAINED}, "another base", {"evaluate@base-chat", *OF_SFT},
    ),
    "dpo: put back what was built before": Edit(
        params("beta: 0.2", "beta: 0.1"), {"train@dpo", *TRAINED}, "what was built before may be restored", OF_DPO,
        before=params("beta: 0.1", "beta: 0.2"),
    ),
    "suites: a metric more": Edit(
        params("label_accuracy, compact]", "label_accuracy, compact, length]"),
        {*EVALUATE, "parity@Q8_0", *END, "plots"}, "one more score of the answers that are there", suite=True,
    ),
    "suites: the schema": Edit(
        params("urgency: {enum: [low, normal, high]}", "urgency: {enum: [low, high]}"),
        {*EVALUATE, "parity@Q8_0", "plots", "report"}, "other scores, maybe; they read the suite", END,
    ),
    "answer: how long": Edit(
        params("max_new_tokens: 8", "max_new_tokens: 9"), {*ANSWER, "answer_quantized@Q8_0", "report"},
        "other answers, maybe", {*EVALUATE, "parity@Q8_0", *END, "plots"},
    ),
    "evaluate: a variant": Edit(
        one_variant, {*OF_VARIANT, *END, "plots"}, "its stages, and what lists suites",
    ),
    "examine: two models": Edit(one_examination, {"examine@last", "report"}, "its stage, and the page that shows it"),
    "examine: the smallest slice": Edit(
        params("min_rows: 5,", "min_rows: 6,"), {"examine@last", "report"}, "other slices", before=one_examination,
    ),
    "compare: a gate's bound": Edit(
        params("against: null, bound: 0.8", "against: null, bound: 0.7"), {*END}, "the verdict says it", suite=True,
    ),
    "quantize: a quant more": Edit(
        one_quant_more, {"calibrate@F16", "quantize@F16", "answer_quantized@F16", "parity@F16", *TRAINED},
        "its stages, and what lists quants",
        suite=True,
    ),
    "quantize: from another model": Edit(
        params("Q8_0: {tool: gguf, from: dpo", "Q8_0: {tool: gguf, from: sft"),
        {"quantize@Q8_0", "answer_quantized@Q8_0", "parity@Q8_0", "card", "report"},
        "another file; its rows to calibrate on stay none",
        {"plots"},
    ),
    "parity: a bound": Edit(
        params("max_difference: 0.01", "max_difference: 0.02"), {"parity@Q8_0", "report"},
        "another verdict, maybe, of the answers that are there",
        {"card", "plots"},
    ),
    "card: the description": Edit(
        params("description: Turns", "description: Now turns"), {"datasheet", "card", "report"}, "all show it",
    ),
    "report: the title": Edit(params("title: Support desk", "title: Help desk"), {"report"}, "the page says it"),
    "train: a step more": Edit(
        one_step_more, {"train@extra", "merge@extra", *TRAINED}, "its stages, and what lists steps", suite=True,
    ),
    "train: a step less": Edit(
        one_step_less, {*TRAINED}, "what lists steps", before=one_step_more,
    ),
    "combine: two adapters": Edit(
        one_combination_more, {"combine@both", "card", "report"}, "its stage, and what lists combinations",
        before=two_adapters,
    ),
}  # fmt: skip
