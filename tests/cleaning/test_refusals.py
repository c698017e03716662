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


@pytest.mark.parametrize(
    "answer",
    ["I don't know based on the context.", "The context does not say.", "I can't answer that using the table.",
     "I cannot answer this based on the given context.", "I cannot answer from what I was given.",
     "I'm sorry, I cannot answer that question from the passage.", "I can't answer this from the manual.",
     "Sorry, the document does not contain this information.", "I can't answer: the article says nothing of it.",
     "I don't have that information in the provided documents.", "I can't answer that from the search results.",
     "I cannot provide an answer as the text does not mention it.",
     "I am unable to answer this with the information provided.",
     "I do not have access to that information in the knowledge base.",
     "I'm afraid I can't provide details that are not in the excerpt.",
     "I cannot provide that information, since it is not in the report."],
)  # fmt: skip
def test_by_default_an_answer_that_refers_to_what_was_given_is_no_refusal(answer: str, default: Refusals) -> None:
    assert not refuses(answer, default)


def test_lists_may_be_empty() -> None:
    bare = msgspec.structs.replace(REFUSALS, openings=[], selves=[], acts=[], phrases=[], unless=[])

    assert refuses("I can't.", bare)
    assert not refuses("I can't help.", bare) and not refuses("", bare) and not refuses("Hello.", bare)


def test_by_default_no_answer_that_serves_is_taken_for_a_refusal(default: Refusals) -> None:
    assert [row["text"] for row in LABELLED if not row["refuses"] and refuses(row["text"], default)] == []


def test_by_default_nearly_all_refusals_are_found(default: Refusals) -> None:
    refusing = [row["text"] for row in LABELLED if row["refuses"]]

    assert sum(refuses(text, default) for text in refusing) >= 0.95 * len(refusing)
