"""ROUGE-L. Words of every script are words, which to rouge-score they are not (findings/)."""

import pytest

from stages.answers.call_forms import Call
from stages.answers.reply import Reply
from stages.evaluating.metrics import rouge_l
from stages.params.evaluation import Suite

SUITE = Suite(metrics=["rouge_l"], label=None, slots=[], answer_schema=None)


def f1(expected: str, answer: str) -> float:
    numerator, denominator = rouge_l.score(Reply(expected), Reply(answer), SUITE)["rouge_l"]
    assert denominator == 1
    return numerator


@pytest.mark.parametrize(
    ("expected", "answer", "value"),
    [
        ("the cat sat", "the cat sat", 1),
        ("the cat sat", "The cat, sat!", 1),
        # two of three and of two words in order
        ("the cat sat", "the sat", 2 * 2 / 5),
        # `the cat sat` within six words, though other words stand between
        ("the cat sat", "the black cat of mine sat", 2 * 3 / 9),
        # the order counts: one word
        ("cat the", "the cat", 0.5),
        ("cat", "dog", 0),
        ("cat", "", 0),
    ],
)
def test_it_is_the_f1_of_the_longest_common_subsequence_of_words(expected: str, answer: str, value: float) -> None:
    assert f1(expected, answer) == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize(
    ("expected", "answer", "value"),
    [
        ("Заказ будет завтра", "Заказ будет завтра", 1),
        ("订单明天到", "订单明天到", 1),
        ("订单明天到", "订单今天到", 4 / 5),
        ("Order 7 is отправлен", "Order 7 is потерян", 3 / 4),
        ("le café fermé", "le cafe ferme", 1 / 3),
        # a composed and a decomposed é
        ("caf\u00e9", "cafe\u0301", 1),
        # a vowel sign is part of its word
        ("हिन्दी में", "हिन्दी में", 1),
    ],
)
def test_words_of_every_script_count(expected: str, answer: str, value: float) -> None:
    assert f1(expected, answer) == pytest.approx(value, abs=1e-6)


def test_an_expected_call_does_not_count_and_one_without_words_cannot_be_compared() -> None:
    assert rouge_l.score(Reply("", [Call("f", {})]), Reply("text"), SUITE) == {"rouge_l": (0, 0)}
    assert not rouge_l.usable(Reply(":-)"), SUITE)
    assert rouge_l.usable(Reply("да"), SUITE)
