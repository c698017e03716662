"""F1 of each slot, 2TP / (2TP + FP + FN). A wrong value is both a false positive and a false negative."""

from stages.answers.json_answer import equal, fields
from stages.answers.reply import Reply
from stages.evaluating.metrics import Metric
from stages.params.evaluation import Suite

METRIC = Metric("higher", 0, 1, "van Rijsbergen 1979, Information Retrieval, chapter 7")


def score(expected: Reply, answer: Reply, suite: Suite) -> dict[str, tuple[float, float]]:
    expected_slots, answer_slots = fields(expected.text), fields(answer.text)
    result = {}
    for slot in suite.slots:
        in_expected, in_answer = slot in expected_slots, slot in answer_slots
        hit = in_expected and in_answer and equal(expected_slots[slot], answer_slots[slot])
        result[f"slot_f1.{slot}"] = (2.0 * hit, float(in_expected + in_answer)) if not expected.calls else (0.0, 0.0)
    return result
