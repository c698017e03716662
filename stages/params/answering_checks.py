"""Checks of `answer` with the chapters around it; see cross_checks.py."""

from typing import Any

from stages.params.answering import Greedy, InLlamaCpp, Likelihood
from stages.params.base_model import Tiny
from stages.params.evaluation import SAMPLES, TextSuite
from stages.rows.row import KINDS


def problems(chapters: dict[str, Any]) -> list[str]:
    """What is wrong, a line each, as `section.field = value: wanted`."""
    return [*_pairs(chapters), *_samples(chapters), *_contexts(chapters)]


def _pairs(chapters: dict[str, Any]) -> list[str]:
    """Entries of `answer` and `suites` without a counterpart, and ways of answering that do not fit the rows."""
    answer, suites, compare = (chapters.get(name) for name in ("answer", "suites", "compare"))
    if answer is None or suites is None:
        return []
    mismatches = [f"answer.{name}: missing; say how models answer suites.{name}"
                  for name in suites if name not in answer]  # fmt: skip
    mismatches += [f"answer.{name}: no such suite; want one of {', '.join(suites)}"
                   for name in answer if name not in suites]  # fmt: skip
    for name in (name for name in suites if suites[name] and answer.get(name)):
        rows, kind = (type(entry).__struct_config__.tag for entry in (suites[name], answer[name]))
        if isinstance(suites[name], TextSuite) != isinstance(answer[name], Likelihood):
            wanted = "'likelihood'" if rows == "text" else "'greedy' or 'sampled'"
            mismatches.append(f"answer.{name}.kind = {kind!r}: want {wanted} for suites.{name}.rows = {rows!r}")
        elif compare and name == compare.suite and not isinstance(answer[name], Greedy):
            mismatches.append(
                f"answer.{name}.kind = {kind!r}: want 'greedy' for compare.suite: parity and report compare one answer "
                "with another"
            )
        if name in KINDS and name != rows:
            mismatches.append(f"suites.{name}.rows = {rows!r}: want {name!r}: data/splits/test/{name}.jsonl has those")
    return mismatches


def _samples(chapters: dict[str, Any]) -> list[str]:
    """Suites with a metric that needs more answers to a row than there will be."""
    answer, suites = chapters.get("answer") or {}, chapters.get("suites") or {}
    return [
        f"suites.{name}.metrics: {metric}: want {wanted} answers to a row or more: answer.{name}: "
        f"{{kind: sampled, num_return_sequences: {wanted}, …}}; found {found}"
        for name, suite in suites.items() if suite and answer.get(name)
        for metric, wanted in SAMPLES.items()
        if metric in suite.metrics and (found := getattr(answer[name], "num_return_sequences", 1)) < wanted
    ]  # fmt: skip


def _contexts(chapters: dict[str, Any]) -> list[str]:
    """Numbers of tokens above what a tiny base reads, or with which no prompt has room."""
    base, evaluate, compare = (chapters.get(name) for name in ("base", "evaluate", "compare"))
    most = base.max_position_embeddings if isinstance(base, Tiny) else float("inf")
    answer = chapters.get("answer") or {}
    mismatches = []
    for name in dict.fromkeys(evaluate.answered() if evaluate else ()):
        if not (entry := answer.get(name)):
            continue
        if isinstance(entry, Likelihood) and entry.context_tokens > most:
            found, wanted = f"context_tokens = {entry.context_tokens}", "at most"
        elif not isinstance(entry, Likelihood) and entry.max_new_tokens >= most:
            found, wanted = f"max_new_tokens = {entry.max_new_tokens}", "room for a prompt in"
        else:
            continue
        mismatches.append(f"answer.{name}.{found}: want {wanted} base.max_position_embeddings = {most}")
    compared = answer.get(compare.suite) if compare else None
    return mismatches + [
        f"answer_quantized.{name}.context_tokens = {entry.context_tokens}: want more than "
        f"answer.{compare.suite}.max_new_tokens = {compared.max_new_tokens}: room for a prompt"
        for name, entry in (chapters.get("answer_quantized") or {}).items()
        if isinstance(entry, InLlamaCpp) and isinstance(compared, Greedy)
        and entry.context_tokens <= compared.max_new_tokens
    ]  # fmt: skip
