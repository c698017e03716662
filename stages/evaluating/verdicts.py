"""The three verdicts, of a gate and of a build, and the suite that a gate is about."""

from collections.abc import Container
from typing import Any

ALLOW, REJECT, INCONCLUSIVE = "ALLOW", "REJECT", "INCONCLUSIVE"


def of_all(gates: dict[str, dict[str, Any]]) -> str:
    """The verdict of a build: ALLOW if there are gates and all of them do, REJECT if one does or there are none."""
    verdicts = {gate["verdict"] for gate in gates.values()} or {REJECT}
    return REJECT if REJECT in verdicts else INCONCLUSIVE if INCONCLUSIVE in verdicts else ALLOW


def suite_of(name: str, suites: Container[str], main: str) -> tuple[str, str]:
    """(suite, metric) of a metric's name in reports/metrics.json. Names of metrics may have a dot too."""
    suite, _, metric = name.partition(".")
    return (suite, metric) if suite in suites and suite != main else (main, name)
