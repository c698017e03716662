"""Share of answers that are valid JSON, other than a literal `null`."""

from stages.evaluating.json_answer import parse
from stages.evaluating.metrics import Metric
from stages.params.evaluation import Suite

METRIC = Metric("higher", 0, 1, "RFC 8259")


def score(expected: str, answer: str, suite: Suite) -> dict[str, tuple[float, float]]:
    return {"valid_json": (float(parse(answer) is not None), 1.0)}
