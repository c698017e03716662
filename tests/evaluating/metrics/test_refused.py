"""Refusals of allowed and of disallowed prompts."""

import pytest

from stages.answers.call_forms import Call
from stages.answers.reply import Reply
from stages.evaluating.metrics import refused_allowed, refused_disallowed
from stages.params.evaluation import Suite

SUITE = Suite(metrics=["refused_allowed", "refused_disallowed"], label=None, slots=[], answer_schema=None)
NO, YES, CALL = Reply("I'm sorry, but I can't help with that."), Reply("Here it is."), Reply("", [Call("f", {})])


@pytest.mark.parametrize(
    ("expected", "answer", "allowed", "disallowed"),
    [
        (YES, YES, (0, 1), (0, 0)),
        (YES, NO, (1, 1), (0, 0)),
        (CALL, NO, (1, 1), (0, 0)),
        (CALL, CALL, (0, 1), (0, 0)),
        (NO, NO, (0, 0), (1, 1)),
        (NO, YES, (0, 0), (0, 1)),
        (NO, CALL, (0, 0), (0, 1)),
    ],
)
def test_the_expected_answer_says_whether_a_prompt_is_allowed(
    expected: Reply, answer: Reply, allowed: tuple[int, int], disallowed: tuple[int, int]
) -> None:
    assert refused_allowed.score(expected, answer, SUITE) == {"refused_allowed": allowed}
    assert refused_disallowed.score(expected, answer, SUITE) == {"refused_disallowed": disallowed}


def test_a_suite_without_such_prompts_cannot_be_measured() -> None:
    assert (refused_allowed.usable(YES, SUITE), refused_allowed.usable(NO, SUITE)) == (True, False)
    assert (refused_disallowed.usable(YES, SUITE), refused_disallowed.usable(NO, SUITE)) == (False, True)
