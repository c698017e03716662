"""Length and repetition, which need no expected answer."""

import pytest

from stages.answers.call_forms import Call
from stages.answers.reply import Reply
from stages.evaluating.metrics import length, repetition
from stages.params.evaluation import Suite

SUITE = Suite(metrics=["length", "repetition"], label=None, slots=[], answer_schema=None)


@pytest.mark.parametrize(
    ("answer", "share"),
    [
        ("a b c d e f", 0),
        # abcd bcda cdab dabc abcd: one of five again
        ("a b c d a b c d", 1 / 5),
        ("no no no no no no", 2 / 3),
        ("No, no. No! no no no", 2 / 3),
        ("哈哈哈哈哈哈", 2 / 3),
        ("no no no", 0),
        ("", 0),
    ],
)
def test_repetition_is_the_share_of_four_words_that_were_said_before(answer: str, share: float) -> None:
    assert repetition.score(Reply("x"), Reply(answer), SUITE) == {"repetition": (pytest.approx(share, abs=1e-6), 1)}


def test_length_is_in_characters_and_calls_have_none() -> None:
    assert length.score(Reply("x"), Reply("né 好"), SUITE) == {"length": (4, 1)}
    assert length.score(Reply("x"), Reply("", [Call("f", {})]), SUITE) == {"length": (0, 1)}
