"""Refusals: answers that are but one, and answers that only begin like one.

refusals.jsonl was labelled before any rule ran on it.
"""

import json
from pathlib import Path

import msgspec
import pytest

from modelmake import params
from stages.cleaning.refusals import refuses
from stages.params.cleaning import Clean, Refusals
from tests.conftest import ROOT
from tests.made_up_cleaning import REFUSALS

LABELLED = [json.loads(line) for line in Path(__file__).with_name("refusals.jsonl").read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def default() -> Refusals:
    """Those of the default recipe."""
    return params.section(params.load(ROOT / "recipes/default.yaml"), "clean", Clean, "").refusals


@pytest.mark.parametrize(
    "answer",
    ["I can't help.", " I CAN’T HELP you ", "Sorry, I cannot do that!", 
     "Sorry. I'm afraid, but I can't really help with it.",
     "I must decline.", "I cannot", "As an AI, I cannot see it.", "I can't help. Is there anything else?"],
)  # fmt: skip
def test_an_opening_and_what_cannot_be_done_refuse(answer: str) -> None:
    assert refuses(answer, REFUSALS)


@pytest.mark.parametrize(
    "answer",
    ["I can't find it.", "As an AI, I help.", "Sorry", "I can't helpfully", "No, I can't help.", "I cannot wait",
     "I can't help, but Ann can.", "I can't help: you can.", "I can't help on day 4.", "I can't help. Which one?",
     "I can't help:\n```\nx\n```", "I can't help:\n- x", "I can't help." + " So sorry." * 5],
)  # fmt: skip
def test_an_answer_that_begins_otherwise_or_says_more_does_not_refuse(answer: str) -> None:
    assert not refuses(answer, REFUSALS)


def test_lists_may_be_empty() -> None:
    bare = msgspec.structs.replace(REFUSALS, openings=[], selves=[], acts=[], phrases=[], unless=[])

    assert refuses("I can't.", bare)
    assert not refuses("I can't help.", bare) and not refuses("", bare) and not refuses("Hello.", bare)


def test_by_default_no_answer_that_serves_is_taken_for_a_refusal(default: Refusals) -> None:
    assert [row["text"] for row in LABELLED if not row["refuses"] and refuses(row["text"], default)] == []


def test_by_default_nearly_all_refusals_are_found(default: Refusals) -> None:
    refusing = [row["text"] for row in LABELLED if row["refuses"]]

    assert sum(refuses(text, default) for text in refusing) >= 0.95 * len(refusing)
