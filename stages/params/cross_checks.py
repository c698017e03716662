"""Checks between chapters of `params.yaml` that are each valid by themselves.

A chapter that could not be decoded is None, as is an item of a map; the checks that need it are left out. Only
preflight imports this module: a stage that did would rerun at every change of a check.
"""

import re
from pathlib import PurePath
from typing import Any

from stages.evaluating import metrics
from stages.evaluating.judging import published
from stages.evaluating.lm_eval import scores
from stages.evaluating.metrics import Metric
from stages.params import (
    alternative_checks,
    answering_checks,
    combination_checks,
    examination_checks,
    gate_checks,
    judging_checks,
    parity_checks,
    process_checks,
    quantization_checks,
    reward_checks,
)
from stages.params.adoption import Adoption
from stages.params.answering import InCompressedTensors
from stages.params.base_model import Tiny
from stages.params.combination import Combination
from stages.params.evaluation import AnySuite, Evaluate
from stages.params.training import Step
from stages.rows.row import KINDS

NAME = re.compile(r"[a-z0-9_]+")  # of steps, combinations and suites
MIXED = ("data", "mixed")  # the folder that mix writes
MIXED_FILES = [(f"{kind}.jsonl",) for kind in KINDS]  # in it
TEST_FILES = (*KINDS, "golden")  # names of the files of held-out rows
# Optimizers whose moments bitsandbytes pages on GPUs alone -> what to take on a CPU.
ONLY_ON_GPUS = {"paged_ademamix_32bit": "ademamix", "paged_ademamix_8bit": "ademamix_8bit"}
MAKERS = {"train": "step", "combine": "combination", "adopt": "adoption"}  # {section: what makes a model}
OF_QUANTIZE = {  # {section that has an entry for each of quantize: what it says}
    "answer_quantized": "what answers from the file of quantize.{}",
    "parity": "how far quantize.{} may be from its model",
}
RESERVED = ("base", "trained", "quantized")  # folders in models/ that no step may write


def problems(chapters: dict[str, Any]) -> list[str]:
    """What is wrong, a line each, as `section.field = value: wanted`."""
    return [
        *_names(chapters),
        *_steps({section: chapters.get(section) or {} for section in MAKERS}),
        *combination_checks.problems(*(chapters.get(section) or {} for section in MAKERS)),
        *_references(chapters),
        *_gates(chapters),
        *gate_checks.seed_problems(chapters),
        *answering_checks.problems(chapters),
        *examination_checks.problems(chapters),
        *_alternatives(chapters),
        *judging_checks.problems(chapters),
        *quantization_checks.problems(chapters.get("quantize") or {}),
        *_of_quantize(chapters),
        *parity_checks.problems(chapters),
        *_gpus(chapters),
        *_optimizers(chapters),
        *process_checks.problems(chapters.get("machine"), chapters.get("resources"), chapters.get("train") or {}),
        *_lengths(chapters),
        *_row_files(chapters),
        *_judged(chapters),
        *reward_checks.problems(chapters),
    ]


def _names(chapters: dict[str, Any]) -> list[str]:
    mismatches = []
    taken: dict[str, set[str]] = {}
    for section in MAKERS:
        taken[section] = {*RESERVED, *(name for other in taken for name in chapters.get(other) or {})}
    for section in (*MAKERS, "suites", "alternatives", "examine"):
        for name in chapters.get(section) or {}:
            if not NAME.fullmatch(name):
                mismatches.append(f"{section}: name {name!r}: want {NAME.pattern}; rename it")
            elif name in taken.get(section, ()):
                mismatches.append(f"{section}: name {name!r}: is taken in models/; rename the {MAKERS[section]}")
    if evaluate := chapters.get("evaluate"):
        mismatches += [f"evaluate.variants: name {name!r}: is taken by rows of split; rename the variant, in suites too"
                       for name in evaluate.variants if name in TEST_FILES]  # fmt: skip
        mismatches += [f"evaluate.tasks: name {name!r}: is taken by a suite; rename the suite, or the task's own YAML"
                       for name in evaluate.tasks if name in (chapters.get("suites") or {})]  # fmt: skip
    for section in ("train", "quantize"):
        if chapters.get(section) == {}:
            mismatches.append(f"{section}: is empty: want at least one entry")
    return mismatches


def _steps(sections: dict[str, dict[str, Step | Combination | Adoption]]) -> list[str]:
    """Entries that read models of none, and circles; a circle is reported once, by its first name."""
    made = sections["adopt"] | sections["combine"] | sections["train"]  # a name that two have is told by _names
    reads = {name: entry.starts() if entry and name != "base" else {} for name, entry in made.items()}
    mismatches = []
    for name in dict.fromkeys([*sections["train"], *sections["combine"], *sections["adopt"]]):
        section = next(section for section in MAKERS if name in sections[section])
        allowed = sorted({"base", *made} - {name})
        for field, start in reads[name].items():
            if start not in {"base", *made}:
                found = repr(f"models/{start}" if field == "second_model" else start)
                mismatches.append(f"{section}.{name}.{field} = {found}: no such step: want one of {', '.join(allowed)}")
        if circle := _circle(name, reads):
            mismatches.append(f"{section}: {circle}: steps in a circle; start one from base")
    return mismatches


def _circle(first: str, reads: dict[str, dict[str, str]]) -> str:
    """A shortest circle through `first` and steps whose names sort after it, in words; "" if there is none."""
    ways, seen = [(first, first)], {first}  # (words so far, the step reached)
    for words, name in ways:  # grows: breadth first
        for field, start in reads[name].items():
            if start == first:
                return f"{words} {field} {start}"
            if start in reads and start > first and start not in seen:
                seen.add(start)
                ways.append((f"{words} {field} {start}", start))
    return ""


def _references(chapters: dict[str, Any]) -> list[str]:
    """Names of models, suites and metrics that do not exist."""
    train, suites = chapters.get("train"), chapters.get("suites")
    evaluate, compare = chapters.get("evaluate"), chapters.get("compare")
    others = [name for section in ("combine", "adopt") for name in chapters.get(section) or {}]
    models = None if train is None else {"base", *train, *others}
    references: list[tuple[str, str, set[str] | None]] = []  # (where, name, allowed names or None for unknown)
    if evaluate:
        references += [("evaluate.models", model, models) for model in evaluate.models]
        references += [("evaluate.variants", name, None if suites is None else set(suites))
                       for name in evaluate.variants]  # fmt: skip
        references += [("evaluate.suites", suite, None if suites is None else set(suites)) for suite in evaluate.suites]
        evaluated = set(evaluate.models)
        if compare:
            references.append(("compare.baseline", compare.baseline, evaluated))
            references.append(("compare.suite", compare.suite, set(evaluate.suites)))
            measured = _metrics(suites, compare.suite, evaluate)
            names = None if measured is None else set(measured)
            for name, gate in compare.gates.items():
                references.append((f"compare.gates.{name}.model", gate.model, evaluated))
                references.append((f"compare.gates.{name}.metric", gate.metric, names))
                if gate.against:
                    references.append((f"compare.gates.{name}.against", gate.against, evaluated))
        for name, quant in (chapters.get("quantize") or {}).items():
            if quant:
                references.append((f"quantize.{name}.from", quant.from_, evaluated))
    if card := chapters.get("card"):
        references.append(("card.model", card.model, models))
    return [
        f"{where} = {name!r}: want one of {', '.join(sorted(allowed)) or '(none there)'}"
        for where, name, allowed in references
        if allowed is not None and name not in allowed
    ]


def _metrics(suites: dict[str, AnySuite] | None, compared: str, evaluate: Evaluate) -> dict[str, Metric] | None:
    """{name as in reports/metrics.json: metric}; None if a suite is unknown, which `_references` reports."""
    if not suites or not {compared, *evaluate.answered()} <= {name for name, suite in suites.items() if suite}:
        return None
    of_suites = {
        metric if name == compared else f"{name}.{metric}": declared
        for name in evaluate.answered()
        for metric, declared in _declared(name, suites[name], evaluate).items()
    }
    return of_suites | {
        f"{name}.{metric}": declared
        for name, task in evaluate.tasks.items()
        for metric, declared in scores.declared(task).items()
    }


def _declared(name: str, suite: AnySuite, evaluate: Evaluate) -> dict[str, Metric]:
    """The metrics of a suite, and of its judge."""
    judge = evaluate.judge.get(name)
    return metrics.declared(suite) | (published.declared(judge) if judge else {})


def _gates(chapters: dict[str, Any]) -> list[str]:
    evaluate, compare, suites = (chapters.get(section) for section in ("evaluate", "compare", "suites"))
    if not evaluate or not compare:
        return []
    measured = _metrics(suites, compare.suite, evaluate) or {}
    return gate_checks.problems(compare, measured, {**(suites or {}), **evaluate.tasks})


def _alternatives(chapters: dict[str, Any]) -> list[str]:
    compare, suites = chapters.get("compare"), chapters.get("suites") or {}
    suite = suites.get(compare.suite) if compare else None
    made = {"base", *(name for section in MAKERS for name in chapters.get(section) or {})}
    return alternative_checks.problems(chapters, metrics.declared(suite) if suite else {}, made)


def _of_quantize(chapters: dict[str, Any]) -> list[str]:
    """Entries of `quantize` without a counterpart, and runtimes that cannot read what the tool writes."""
    quantize, runtimes = chapters.get("quantize"), chapters.get("answer_quantized")
    mismatches = []
    for section, wanted in OF_QUANTIZE.items():
        if quantize is None or (entries := chapters.get(section)) is None:
            continue
        mismatches += [f"{section}.{name}: missing; say {wanted.format(name)}"
                       for name in quantize if name not in entries]  # fmt: skip
        mismatches += [f"{section}.{name}: no such entry of quantize; want one of {', '.join(quantize)}"
                       for name in entries if name not in quantize]  # fmt: skip
    for name in (name for name in quantize or {} if quantize[name] and (runtimes or {}).get(name)):
        runtime = type(runtimes[name]).__struct_config__.tag
        if runtime not in quantize[name].RUNTIMES:
            tool = type(quantize[name]).__struct_config__.tag
            mismatches.append(
                f"answer_quantized.{name}.runtime = {runtime!r}: want {' or '.join(quantize[name].RUNTIMES)} for what "
                f"{tool} writes"
            )
    return mismatches


def _gpus(chapters: dict[str, Any]) -> list[str]:
    """Reservations without the GPU that a stage uses, or with one that none uses."""
    machine, resources = chapters.get("machine"), chapters.get("resources")
    quantize, runtimes = chapters.get("quantize"), chapters.get("answer_quantized")
    if not machine or not resources:
        return []
    users = {"model": f"machine.device = {machine.device!r}" if machine.device == "cuda" else ""}
    if quantize is not None and runtimes is not None and all((*quantize.values(), *runtimes.values())):
        on_gpu = [
            f"quantize.{name}.device" for name, quant in quantize.items() if getattr(quant, "device", "") == "cuda"
        ]
        if machine.device == "cuda":
            on_gpu += [f"answer_quantized.{name}.runtime" for name, entry in runtimes.items()
                       if isinstance(entry, InCompressedTensors)]  # fmt: skip
        users["weights"] = on_gpu[0] if on_gpu else ""
    return [
        f"resources.{kind}.gpu = {gpu}: want {f'1 or more for {user}' if user else '0: no stage of this kind uses one'}"
        for kind, user in users.items()
        if bool(gpu := getattr(resources, kind).gpu) != bool(user)
    ]


def _optimizers(chapters: dict[str, Any]) -> list[str]:
    machine, train = chapters.get("machine"), chapters.get("train") or {}
    if not machine or machine.device == "cuda":
        return []
    return [
        f"train.{name}.optim = {step.optim!r}: want {ONLY_ON_GPUS[step.optim]} with machine.device = 'cpu'"
        for name, step in train.items()
        if step and step.optim in ONLY_ON_GPUS
    ]


def _lengths(chapters: dict[str, Any]) -> list[str]:
    ingest, clean = chapters.get("ingest"), chapters.get("clean")
    if ingest and clean and ingest.documents and ingest.documents.max_chars > clean.max_chars:
        return [
            f"ingest.documents.max_chars = {ingest.documents.max_chars}: want at most clean.max_chars = "
            f"{clean.max_chars}: longer pieces would be dropped"
        ]
    return []


def _row_files(chapters: dict[str, Any]) -> list[str]:
    """Files of rows that no stage writes: `mix` writes one for each kind, `split` also the golden set."""
    base, evaluate, suites = chapters.get("base"), chapters.get("evaluate"), chapters.get("suites") or {}
    mismatches = []
    if isinstance(base, Tiny) and (parts := PurePath(base.source).parts)[:2] == MIXED and parts[2:] not in MIXED_FILES:
        wanted = ", ".join(f"{kind}.jsonl" for kind in KINDS)
        mismatches.append(f"base.source = {base.source!r}: want one of {wanted} there")
    mismatches += [
        f"evaluate.suites = {name!r}: split writes no such rows: want one of {', '.join(TEST_FILES)}"
        for name in dict.fromkeys(evaluate.suites if evaluate else ())
        if name in suites and name not in TEST_FILES
    ]
    return mismatches


def _judged(chapters: dict[str, Any]) -> list[str]:
    ingest, train = chapters.get("ingest"), chapters.get("train") or {}
    steps = [name for name, step in train.items() if step and step.rows == "judged"]
    if ingest and ingest.judged != "rows" and steps:
        return [
            f"ingest.judged = {ingest.judged!r}: want 'rows' for train.{steps[0]}: there would be no judged rows, as "
            "good answers become chats, and bad ones rejected answers of pairs"
        ]
    return []
