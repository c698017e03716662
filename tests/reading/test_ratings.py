"""A judged answer is a chat, a side of a pair, or a drop: one of them, whatever the order."""

from hypothesis import given
from hypothesis import strategies as st

from stages.reading.ratings import Judged, chat, key, pair
from stages.rows.row import Chat, Message, Pair

ASKED = [Message("user", "q")]


def judged(text: str, good: bool) -> Judged:
    return Judged(ASKED, [Message("assistant", text)], good)


def test_a_good_answer_is_a_chat_and_a_bad_one_a_side_of_a_pair() -> None:
    assert chat(judged("yes", True)) == Chat([*ASKED, Message("assistant", "yes")])
    assert pair(judged("no", False), [judged("yes", True)]) == Pair(
        ASKED, [Message("assistant", "yes")], [Message("assistant", "no")]
    )


def test_a_bad_answer_is_no_pair_with_itself_or_with_nothing() -> None:
    assert pair(judged("no", False), []) is None
    assert pair(judged("no", False), [judged("no", True)]) is None


def test_answers_meet_by_prompt_and_split() -> None:
    assert key(judged("a", True), "train") == key(judged("b", False), "train") != key(judged("b", False), "test")
    assert key(judged("a", True), "") != key(Judged([Message("user", "r")], [], True), "")


@given(st.lists(st.sampled_from("abcdef"), min_size=1, unique=True), st.sampled_from("uvwxyz"), st.randoms())
def test_the_pair_follows_from_what_there_is_and_not_from_its_order(texts: list[str], bad: str, order: object) -> None:
    good = [judged(text, True) for text in texts]
    found = pair(judged(bad, False), good)
    order.shuffle(good)

    assert pair(judged(bad, False), [*good, *good]) == found
    assert found.chosen[0].content in texts
