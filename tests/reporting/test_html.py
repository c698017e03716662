"""Filters of the templates."""

import pytest

from modelmake import params
from stages.params.training import Step
from stages.reporting import html
from tests.conftest import ROOT
from tests.made_up_build import entry


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.01, 0.2, "better"),
        (-0.2, -0.01, "worse"),
        (0.0, 0.2, "no clear difference"),
        (-0.1, 0.1, "no clear difference"),
    ],
)
def test_a_difference_is_in_words_by_the_direction_of_the_metric(low: float, high: float, words: str) -> None:
    mirrored = {"better": "worse", "worse": "better"}.get(words, words)

    difference = ((low + high) / 2, low, high)
    assert html.difference_in_words(entry(0.5, difference)) == words
    assert html.difference_in_words(entry(2.5, difference, better="lower")) == mirrored


def test_a_scale_is_the_declared_range_of_the_metric() -> None:
    share = {"a": {}, "b": {"m": entry(0.5)}}
    bits = {"a": {"m": entry(0.6, better="lower")}, "b": {"m": entry(0.4, better="lower")}}
    wide = {"a": {"m": entry(2.0) | {"least": -1.0, "most": 3.0}}}
    none = {"a": {"m": {"low": 0.0, "high": 0.0, "least": 0, "most": None}}}

    assert html.scale(share, "m") == (0, 1.0)
    assert html.scale(bits, "m") == (0, 0.65)  # unbounded: as far as the intervals reach
    assert html.scale(wide, "m") == (-1.0, 3.0)
    assert html.scale(none, "m") == (0, 1)
    assert html.position(0.25, (-1.0, 1.0)) == "62.50%"


def test_more_than_three_quantized_files_are_counted() -> None:
    files = ("q1", "q2", "q3", "q4")

    assert html.join_names(("dpo", "q1"), files) == "dpo, q1"
    assert html.join_names(("sft", "dpo", *files), files) == "sft, dpo, all 4 files"
    assert html.join_names(("dpo", "q1", "q2", "q3", "q4"), (*files, "q5")) == "dpo, 4 of 5 files"


def test_sections_are_shown_as_in_params_yaml() -> None:
    sft = params.section(params.load(ROOT / "params.yaml"), "train.sft", Step, "params.yaml")

    text = html.as_yaml({"sft": sft})
    assert "\n  from: base\n" in text and "\n  method: sft\n" in text and "\n  weights:\n    kind: all\n" in text
