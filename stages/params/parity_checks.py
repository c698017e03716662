"""What `parity` asks of compare.suite, and its metrics do not give."""

from typing import Any

from stages.evaluating import metrics


def problems(chapters: dict[str, Any]) -> list[str]:
    """Problems, a line each."""
    compare, suites = chapters.get("compare"), chapters.get("suites") or {}
    suite = suites.get(compare.suite) if compare else None
    if not suite:
        return []
    found = []
    if "exact_match" not in suite.metrics:
        found.append(f"suites.{compare.suite}.metrics: want exact_match among them: parity and report need it")
    measured = [name for name in metrics.declared(suite) if "." not in name]  # names in params.yaml have no dots
    return found + [
        f"parity.{name}.max_losses: {metric!r}: want one of {', '.join(measured)}"
        for name, bounds in (chapters.get("parity") or {}).items()
        if bounds
        for metric in bounds.max_losses
        if metric not in measured
    ]
