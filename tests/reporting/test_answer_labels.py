"""Expected labels beside answered ones."""

import pytest

from stages.evaluating.scoring import Answer
from stages.reporting import answer_labels
from stages.reporting.answer_labels import NO_LABEL


def answer(expected: str, text: str) -> Answer:
    return Answer("id", "question", expected, text, {})


REFUND, INVOICE = '{"intent": "refund"}', '{"intent": "invoice"}'


def test_an_answer_without_a_label_counts_but_an_expected_one_without_a_label_does_not() -> None:
    answers = [answer(REFUND, INVOICE), answer(REFUND, "refund"), answer("free text", REFUND)]

    assert answer_labels.label_pairs(answers, "intent") == [("refund", "invoice"), ("refund", NO_LABEL)]


@pytest.mark.parametrize(
    ("expected", "answered", "pair"),
    [
        ("1", "1.0", ("1", "1")),
        ("1", '"1"', ("1", '"1"')),
        ("true", "1", ("true", "1")),
        ("true", '"true"', ("true", '"true"')),
        ('"é"', '"é"', ("é", "é")),
    ],
)
def test_labels_are_alike_only_if_their_values_are(expected: str, answered: str, pair: tuple[str, str]) -> None:
    answers = [answer(f'{{"intent": {expected}}}', f'<think>hm</think>{{"intent": {answered}}}')]

    assert answer_labels.label_pairs(answers, "intent") == [pair]


def test_confusions_have_most_rows_first_and_the_rows_with_the_expected_label() -> None:
    answers = [
        answer(REFUND, REFUND), answer(REFUND, INVOICE), answer(REFUND, INVOICE), answer(REFUND, "no json"),
        answer("no json", "y"),
    ]  # fmt: skip

    assert answer_labels.confusions(answers, "intent") == [("refund", "invoice", 2, 4), ("refund", NO_LABEL, 1, 4)]
