"""Checks of `alternatives` and `weigh` with the chapters around them; see cross_checks.py."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from stages.evaluating.metrics import Metric
from stages.params import gate_checks
from stages.params.alternatives import NO_EXAMPLES, Alternative, ByEndpoint, ByLlamaCpp, ByTransformers
from stages.params.answering import Greedy
from stages.params.file_checks import NO_WORD

TRAIN = Path("data/splits/train")
MODELS, QUANTIZED = Path("models"), Path("models/quantized")


def problems(chapters: dict[str, Any], measured: dict[str, Metric], made: set[str]) -> list[str]:
    """What is wrong, a line each, as `section.field = value: wanted`.

    Args:
        measured: {name as in reports/metrics.json: metric}
        made: names of models that the graph makes.
    """
    alternatives, weigh = chapters.get("alternatives") or {}, chapters.get("weigh") or {}
    models = chapters["evaluate"].models if chapters.get("evaluate") else []
    found = [
        f"alternatives: name {name!r}: is that of a model; rename the alternative"
        for name in alternatives if name in {*made, *models}
    ]  # fmt: skip
    for name, entry in alternatives.items():
        if entry:
            found += _paths(f"alternatives.{name}", entry, made, chapters.get("quantize") or {})
            found += _schema(f"alternatives.{name}", entry)
            found += _context(f"alternatives.{name}", entry, chapters)
    return [*found, *_weighed(weigh, alternatives, models, chapters, measured)]


def _paths(where: str, entry: Alternative, made: set[str], quantize: dict[str, Any]) -> Iterator[str]:
    """Models that there are not, or that the runtime cannot read, and examples that may be held out."""
    path = Path(entry.model)
    if not_words := [field for field in ("model", "examples") if NO_WORD.search(getattr(entry, field))]:
        wanted = "want a path without spaces and signs that a shell reads"
        yield from (f"{where}.{field} = {getattr(entry, field)!r}: {wanted}" for field in not_words)
        return
    if isinstance(entry, ByTransformers | ByLlamaCpp):
        ggufs = [name for name, quant in quantize.items() if quant and "llama_cpp" in quant.RUNTIMES]
        ours = (
            [f"models/{name}" for name in sorted(made)]
            if isinstance(entry, ByTransformers) else [f"models/quantized/{name}" for name in ggufs]
        )  # fmt: skip
        file = "config.json" if isinstance(entry, ByTransformers) else "model.gguf"
        is_there = str(path) in ours if path.is_relative_to(MODELS) else (path / file).is_file()
        if not is_there:
            yield f"{where}.model = {entry.model!r}: want one of {', '.join(ours)}, or a folder with {file}"
    if entry.examples != NO_EXAMPLES and not Path(os.path.normpath(entry.examples)).is_relative_to(TRAIN):
        yield (
            f"{where}.examples = {entry.examples!r}: want rows of {TRAIN}, such as {TRAIN}/chat.jsonl, or "
            f"{NO_EXAMPLES}: any other file may have held-out rows; rows of your own belong into ingest.raw"
        )


def _schema(where: str, entry: Alternative) -> Iterator[str]:
    """Schemas that are none, or that llguidance cannot bind answers by; llama.cpp binds them by it too."""
    if entry.answer_schema is None:
        return
    from stages.evaluating.runtimes import guided

    if problem := guided.invalid(entry.answer_schema):
        yield f"{where}.answer_schema{problem}"
    elif problem := guided.unbound(entry.answer_schema):
        yield f"{where}.answer_schema: llguidance cannot bind answers by it: {problem}; leave that out here"


def _context(where: str, entry: Alternative, chapters: dict[str, Any]) -> Iterator[str]:
    compare, answer = chapters.get("compare"), chapters.get("answer") or {}
    answering = answer.get(compare.suite) if compare else None
    most = answering.max_new_tokens if isinstance(answering, Greedy) else 0
    if isinstance(entry, ByLlamaCpp) and entry.context_tokens <= most:
        yield (
            f"{where}.context_tokens = {entry.context_tokens}: want more than answer.{compare.suite}.max_new_tokens = "
            f"{most}: room for a prompt"
        )
    if isinstance(entry, ByEndpoint) and entry.endpoint.max_tokens < most:
        yield (
            f"{where}.endpoint.max_tokens = {entry.endpoint.max_tokens}: want at least answer.{compare.suite}."
            f"max_new_tokens = {most}: answers as long as those of models"
        )


def _weighed(
    weigh: dict[str, Any], alternatives: dict[str, Any], models: list[str], chapters: dict[str, Any],
    measured: dict[str, Metric],
) -> Iterator[str]:  # fmt: skip
    """Fine-tunes that are not evaluated, prices that lack or are of nobody, metrics that there are not."""
    compare, suites = chapters.get("compare"), chapters.get("suites") or {}
    if alternatives and not weigh:
        yield "weigh: is empty: want the fine-tune that alternatives are held against"
    for name, entry in weigh.items():
        if entry is None or not compare:
            continue
        if not alternatives:
            yield f"weigh.{name}: there are no alternatives: want some"
        if name not in models:
            yield f"weigh: name {name!r}: want one of {', '.join(models)}: models of evaluate"
        wanted = [name, *alternatives, *([compare.baseline] if compare.baseline != name else [])]
        yield from (f"weigh.{name}.prices.{other}: missing; say what it costs" for other in wanted
                    if other not in entry.prices)  # fmt: skip
        allowed = {*models, *alternatives}
        yield from (f"weigh.{name}.prices.{other}: want one of {', '.join(sorted(allowed))}" for other in entry.prices
                    if other not in allowed)  # fmt: skip
        if measured and entry.metric not in measured:
            yield f"weigh.{name}.metric = {entry.metric!r}: want one of {', '.join(sorted(measured))}"
        if measured and entry.metric in measured:
            held = msgspec.structs.replace(compare, gates=entry.gates(name))
            found = gate_checks.problems(held, measured, suites)
            yield from (problem.replace("compare.gates.", f"weigh.{name}.", 1) for problem in found)
