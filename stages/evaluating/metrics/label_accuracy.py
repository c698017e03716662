"""Share of answers whose label field equals the expected one."""

from stages.evaluating.json_answer import fields
from stages.params.evaluation import Suite


def score(expected: str, answer: str, suite: Suite) -> dict[str, tuple[float, float]]:
    label = fields(expected).get(suite.label)
    matches = label is not None and fields(answer).get(suite.label) == label
    return {"label_accuracy": (float(matches), 1.0)}
