"""F1 of every slot, 2TP / (2TP + FP + FN): a wrong value is both a false positive and a false negative."""

from stages.evaluating.json_answer import fields
from stages.params.evaluation import Suite


def score(expected: str, answer: str, suite: Suite) -> dict[str, tuple[float, float]]:
    wanted, got = fields(expected), fields(answer)
    result = {}
    for slot in suite.slots:
        hit = slot in wanted and slot in got and wanted[slot] == got[slot]
        result[f"slot_f1.{slot}"] = (2.0 * hit, float((slot in wanted) + (slot in got)))
    return result
