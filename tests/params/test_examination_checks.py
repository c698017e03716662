"""Examinations of what is not evaluated are told, each in one line."""

import copy
from pathlib import Path
from typing import Any

import pytest

from modelmake import params
from stages import preflight
from stages.params import cross_checks
from stages.similarity import nearest

PARAMS = params.load(Path(__file__).parents[2] / "params.yaml")
ENTRY = {
    "model": "dpo", "against": "sft", "suite": "chat", "metric": "label_accuracy", "confidence": 0.95, "min_rows": 30,
    "regressions": 20, "nearest": 3,
}  # fmt: skip


def problems(**changes: Any) -> list[str]:
    values = copy.deepcopy(PARAMS)
    values["suites"]["chat"]["metrics"].append("macro_f1")
    values["examine"] = {"dpo": ENTRY | changes}
    chapters, found = preflight.decode(values)
    assert found == []
    return cross_checks.problems(chapters)


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, []),
        ({"model": "kto"}, ["model = 'kto': want one of base, dpo, sft"]),
        ({"against": "dpo"}, ["against = 'dpo': want another model: it loses nothing to itself"]),
        ({"suite": "text"}, ["suite = 'text': want one of chat"]),
        ({"metric": "macro_f1"},
         ["metric = 'macro_f1': want one of compact, exact_match, label_accuracy, schema, slot_f1.product, "
          "slot_f1.urgency, valid_json, which rows have"]),
    ],
)  # fmt: skip
def test_what_is_not_evaluated_is_told(changes: dict[str, Any], wanted: list[str]) -> None:
    assert problems(**changes) == [f"examine.dpo.{problem}" for problem in wanted]


def test_the_section_may_be_missing() -> None:
    values = {name: value for name, value in PARAMS.items() if name != "examine"}

    chapters, found = preflight.decode(values)
    assert (chapters["examine"], found) == ({}, [])


def test_no_more_nearest_rows_are_asked_for_than_are_compared_exactly() -> None:
    values = copy.deepcopy(PARAMS)
    values["examine"] = {"most": ENTRY | {"nearest": nearest.CANDIDATES}, "more": ENTRY | {"nearest": 65}}

    _, found = preflight.decode(values)
    assert found == ["params.yaml: examine.more.nearest = 65: expected `int` <= 64"]
