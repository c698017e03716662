"""Share of answers that are valid JSON, other than a literal `null`."""

from stages.evaluating.json_answer import parse
from stages.evaluating.metrics import Metric
from stages.evaluating.reply import Reply, of_text
from stages.params.evaluation import Suite

METRIC = Metric("higher", 0, 1, "RFC 8259")


def score(expected: Reply, answer: Reply, suite: Suite) -> dict[str, tuple[float, float]]:
    return {"valid_json": of_text(parse(answer.text) is not None, expected)}
