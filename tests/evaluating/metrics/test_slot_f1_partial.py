"""Slots, half right where they share a word."""

import pytest

from stages.answers.call_forms import Call
from stages.answers.reply import Reply
from stages.evaluating.metrics import slot_f1_partial
from stages.params.evaluation import Suite

SUITE = Suite(metrics=["slot_f1_partial"], label=None, slots=["product"], answer_schema=None)


@pytest.mark.parametrize(
    ("expected", "answer", "counts"),
    [
        # equal: 2 of 2; a shared word: half of that; none: 0 of 2; a slot that one side alone has: 0 of 1
        ('{"product": "red kettle"}', '{"product": "red kettle"}', (2, 2)),
        ('{"product": "red kettle"}', '{"product": "the Kettle"}', (1, 2)),
        ('{"product": "red kettle"}', '{"product": "toaster"}', (0, 2)),
        ('{"product": "red kettle"}', "{}", (0, 1)),
        ("{}", '{"product": "red kettle"}', (0, 1)),
        ("{}", "{}", (0, 0)),
        ('{"product": "红色水壶"}', '{"product": "水壶"}', (1, 2)),
        ('{"product": 12}', '{"product": 12.0}', (2, 2)),
        ('{"product": "12"}', '{"product": 12}', (0, 2)),
        ('{"product": ["a"]}', '{"product": ["a", "b"]}', (0, 2)),
    ],
)
def test_a_shared_word_is_worth_half(expected: str, answer: str, counts: tuple[int, int]) -> None:
    assert slot_f1_partial.score(Reply(expected), Reply(answer), SUITE) == {"slot_f1_partial.product": counts}


def test_rows_that_expect_a_call_do_not_count() -> None:
    scores = slot_f1_partial.score(Reply("", [Call("f", {})]), Reply('{"product": "a"}'), SUITE)

    assert scores == {"slot_f1_partial.product": (0, 0)}
