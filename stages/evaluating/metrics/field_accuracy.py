"""Share of the fields of `answer_schema` that are right: over all of them, and of each.

A field counts in rows in which it is expected or given, so that one too many is as wrong as one that is missing.
"""

from stages.answers.json_answer import equal, fields
from stages.answers.reply import Reply
from stages.evaluating.metrics import Metric, Statistics
from stages.params.evaluation import Suite

METRIC = Metric("higher", 0, 1, "Jaccard 1912: fields with equal values over all fields of either answer")


def score(expected: Reply, answer: Reply, suite: Suite) -> dict[str, Statistics]:
    expected_fields = fields(expected.text) if not expected.calls else {}
    answer_fields = fields(answer.text) if not expected.calls else {}
    result = {}
    for name in suite.answer_schema["properties"]:
        counts = name in expected_fields or name in answer_fields
        both = name in expected_fields and name in answer_fields
        result[f"field_accuracy.{name}"] = (
            float(both and equal(expected_fields[name], answer_fields[name])), float(counts)
        )  # fmt: skip
    right, counted = (float(sum(of_field[i] for of_field in result.values())) for i in (0, 1))
    return {"field_accuracy": (right, counted), **result}
