"""Examinations of models, suites and metrics that are not evaluated. Only preflight imports this module."""

from collections.abc import Iterator
from typing import Any

from stages.evaluating import metrics
from stages.params.gate_checks import NOT_GATED


def problems(chapters: dict[str, Any]) -> list[str]:
    """What is wrong, a line each."""
    evaluate, suites = chapters.get("evaluate"), chapters.get("suites") or {}
    if not evaluate:
        return []
    return [
        f"examine.{name}.{problem}"
        for name, entry in (chapters.get("examine") or {}).items()
        if entry
        for problem in _problems(entry, evaluate, suites.get(entry.suite))
    ]


def _problems(entry: Any, evaluate: Any, suite: Any) -> Iterator[str]:
    """`suite` is None if it is unknown or wrong."""
    for field, names in (("model", evaluate.models), ("against", evaluate.models), ("suite", evaluate.suites)):
        if (name := getattr(entry, field)) not in names:
            yield f"{field} = {name!r}: want one of {', '.join(sorted(names))}"
    if entry.model == entry.against:
        yield f"against = {entry.against!r}: want another model: it loses nothing to itself"
    names = sorted(name for name in metrics.declared(suite) if name not in NOT_GATED) if suite else [entry.metric]
    if entry.metric not in names:
        yield f"metric = {entry.metric!r}: want one of {', '.join(names) or '(none there)'}, which rows have"
