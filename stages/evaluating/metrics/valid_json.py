"""Share of answers that are valid JSON, other than a literal `null`."""

from stages.answers.json_answer import parse
from stages.answers.reply import Reply
from stages.evaluating.metrics import Metric, of_text
from stages.params.evaluation import Suite

METRIC = Metric("higher", 0, 1, "RFC 8259")


def score(expected: Reply, answer: Reply, suite: Suite) -> dict[str, tuple[float, float]]:
    return {"valid_json": of_text(parse(answer.text) is not None, expected)}
