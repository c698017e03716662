"""Rated answers: a good one is a chat, a bad one a side of a pair if there is a good one; order does not matter."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.reading.ratings import as_chat, as_pair, prompt_key, rating, scale
from stages.rows.row import Chat, Judged, Message, Pair

PROMPT = [Message("user", "q")]


def rated(text: str, good: bool) -> Judged:
    return Judged(PROMPT, [Message("assistant", text)], good)


def test_a_good_answer_is_a_chat_and_a_bad_one_a_side_of_a_pair() -> None:
    assert as_chat(rated("yes", True)) == Chat([*PROMPT, Message("assistant", "yes")])
    assert as_pair(rated("no", False), [rated("yes", True)]) == Pair(
        PROMPT, [Message("assistant", "yes")], [Message("assistant", "no")]
    )


def test_a_bad_answer_is_not_paired_with_itself() -> None:
    assert as_pair(rated("no", False), []) is None
    assert as_pair(rated("no", False), [rated("no", True)]) is None


def test_answers_share_a_key_by_prompt_and_split() -> None:
    assert (
        prompt_key(rated("a", True), "train")
        == prompt_key(rated("b", False), "train")
        != prompt_key(rated("b", False), "test")
    )
    assert prompt_key(rated("a", True), "") != prompt_key(Judged([Message("user", "r")], [], True), "")


@given(st.lists(st.sampled_from("abcdef"), min_size=1, unique=True), st.sampled_from("uvwxyz"), st.randoms())
def test_the_pair_does_not_depend_on_the_order_of_answers(texts: list[str], bad: str, order: object) -> None:
    good = [rated(text, True) for text in texts]
    pair = as_pair(rated(bad, False), good)
    order.shuffle(good)

    assert as_pair(rated(bad, False), [*good, *good]) == pair
    assert pair.chosen[0].content in texts


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([1, 2, 5], "1 to 5"),
        (["1", " 4.5 "], "1 to 4.5"),
        ([0.8], "0.8 to 0.8"),
        ([-1, 0, 1, 1.0, "1", True], ""),
        (["up", None, float("nan"), ""], ""),
    ],
)
def test_numbers_beyond_yes_and_no_are_on_a_scale(values: list[Any], said: str) -> None:
    assert scale(values) == said


def test_a_rating_on_a_scale_is_refused_and_it_is_said_what_to_write() -> None:
    with pytest.raises(ValueError, match=r"rating 5 is on a scale: want good or bad: write true or false in its place"):
        rating({"rating": 5})
