"""F1 of each slot in which a text counts half that shares a word with the expected one, but is not equal."""

from typing import Any

from stages.answers.json_answer import equal, fields
from stages.answers.reply import Reply
from stages.evaluating.metrics import Metric, Statistics
from stages.evaluating.words import words
from stages.params.evaluation import Suite

METRIC = Metric("higher", 0, 1, "Segura-Bedmar et al. 2013, SemEval-2013 Task 9, S13-2056: partial matching")


def score(expected: Reply, answer: Reply, suite: Suite) -> dict[str, Statistics]:
    expected_slots, answer_slots = fields(expected.text), fields(answer.text)
    result = {}
    for slot in suite.slots:
        in_expected, in_answer = slot in expected_slots, slot in answer_slots
        credit = _credit(expected_slots[slot], answer_slots[slot]) if in_expected and in_answer else 0.0
        counts = (2 * credit, float(in_expected + in_answer))
        result[f"slot_f1_partial.{slot}"] = counts if not expected.calls else (0.0, 0.0)
    return result


def _credit(expected: Any, given: Any) -> float:
    if equal(expected, given):
        return 1.0
    texts = isinstance(expected, str) and isinstance(given, str)
    return 0.5 if texts and not set(words(expected)).isdisjoint(words(given)) else 0.0
