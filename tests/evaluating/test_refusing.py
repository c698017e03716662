"""Refusals by how they begin, against answers that were labelled before any rule ran on them."""

import json

import pytest

from stages.answers.call_forms import Call
from stages.answers.reply import Reply
from stages.evaluating.refusing import refuses
from tests.conftest import ROOT

LABELLED = [json.loads(line) for line in (ROOT / "tests/cleaning/refusals.jsonl").read_text("utf-8").splitlines()]


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("I can't help with that.", True),
        (" I CAN’T help. ", True),
        ("I'm sorry, but as an AI language model, I cannot really discuss this.", True),
        ("I won't.", True),
        ("I cannot give advice on that. Instead you could ask a lawyer:\n- one\n- two", True),
        ("", False),
        ("I can't find a mocha.", False),
        ("I can't help but smile.", False),
        ("No, I can't help.", False),
        ("You can't provide it twice.", False),
        ('{"answer": "I can\'t help with that."}', False),
    ],
)
def test_an_answer_refuses_if_it_begins_so(text: str, refused: bool) -> None:
    assert refuses(Reply(text)) == refused


def test_an_answer_that_calls_a_tool_does_not_refuse() -> None:
    assert not refuses(Reply("I can't help with that.", [Call("f", {})]))


def test_every_labelled_refusal_is_found_and_of_others_those_that_begin_like_one() -> None:
    found = [answer["refuses"] for answer in LABELLED if refuses(Reply(answer["text"]))]

    assert (sum(found), sum(answer["refuses"] for answer in LABELLED)) == (60, 60)
    assert (found.count(False), len(LABELLED)) == (11, 144), "they go on to say something else"
