"""Gates that could not decide anything are told before anything runs."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelmake import params
from stages import preflight
from stages.params import cross_checks

PARAMS = params.load(Path(__file__).parents[2] / "params.yaml")


def problems(change: Callable[[dict[str, Any]], Any]) -> list[str]:
    """Problems of the default params after an edit."""
    values = copy.deepcopy(PARAMS)
    change(values)
    chapters, found = preflight.decode(values)
    assert found == []
    return cross_checks.problems(chapters)


@pytest.mark.parametrize(
    ("samples", "looks", "found"),
    [
        (1199, 20, ""),
        (1198, 20, "1198: want at least 1199: the least p-value of as many samples is 0.00083, and the first of 3 "
                   "gates needs 0.00083"),
        (1199, 50, "1199: want at least 2999: the least p-value of as many samples is 0.00083, and the first of 3 "
                   "gates needs 0.00033"),
    ],
)  # fmt: skip
def test_too_few_samples_for_any_gate_to_allow_are_refused(samples: int, looks: int, found: str) -> None:
    def change(values: dict[str, Any]) -> None:
        values["compare"] |= {"bootstrap_samples": samples, "looks": looks}

    wanted = [f"compare.bootstrap_samples = {found}; so no gate could allow"] if found else []
    assert problems(change) == wanted
    assert problems(lambda values: (change(values), values["compare"].update(gates={}))) == []
