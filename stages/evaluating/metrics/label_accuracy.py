"""Share of answers whose label field is the expected one."""

from stages.evaluating.json_answer import fields
from stages.params.evaluation import Suite


def score(expected: str, answer: str, suite: Suite) -> dict[str, tuple[float, float]]:
    wanted = fields(expected).get(suite.label)
    right = wanted is not None and fields(answer).get(suite.label) == wanted
    return {"label_accuracy": (float(right), 1.0)}
