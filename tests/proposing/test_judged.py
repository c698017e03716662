"""Judged answers stay what KTO trains on where models can be compared; else they become chats and pairs."""

from collections.abc import Sequence

from stages.proposing import judged
from stages.proposing.survey import Survey
from stages.rows.row import Chat, Content, Judged, Message, Pair, make_row


def answer(question: int, text: str, good: bool) -> Judged:
    return Judged([Message("user", f"Question {question}")], [Message("assistant", text)], good)


def survey(contents: Sequence[Content]) -> Survey:
    return Survey([], {}, {row.id: (row, "a") for row in map(make_row, contents)})


CHAT = Chat([Message("user", "q"), Message("assistant", "a")])


def test_without_judged_answers_nothing_is_said() -> None:
    assert judged.plan(survey([CHAT]))[:2] == ("pairs", "")


def test_good_and_bad_answers_beside_chats_stay_rows_with_weights_that_balance_them() -> None:
    answers = [answer(i, "x", good=i < 30) for i in range(50)]

    found = judged.plan(survey([CHAT, *answers]))

    assert (found.judged, found.reason) == ("rows", "30 good answers and 20 bad ones: kto trains on them")
    assert found.weights == {"desirable_weight": 1.0, "undesirable_weight": 1.5}
    assert len(found.survey.rows) == 51


def test_judged_answers_alone_become_chats_and_pairs_as_ingest_makes_them() -> None:
    found = judged.plan(survey([answer(1, "good", True), answer(1, "bad", False), answer(2, "bad", False)]))

    contents = [row.content for row, _ in found.survey.rows.values()]
    prompt, good, bad = [Message("user", "Question 1")], Message("assistant", "good"), Message("assistant", "bad")
    assert contents == [Chat([*prompt, good]), Pair(prompt, [good], [bad])]
    assert (found.judged, found.reason) == (
        "pairs", "1 good answers and 2 bad ones, none else to compare models by: good ones become chats, bad ones "
        "pairs with them; 1 bad ones have no good answer to their prompt, and are dropped",
    )  # fmt: skip


def test_too_few_bad_answers_become_pairs() -> None:
    found = judged.plan(survey([CHAT, *(answer(i, "x", good=i > 0) for i in range(50))]))

    assert found.judged == "pairs" and "49 good answers and 1 bad ones, too few of one for kto" in found.reason
