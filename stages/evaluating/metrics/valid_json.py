"""Share of answers that are valid JSON, other than a literal `null`."""

from stages.evaluating.json_answer import parse
from stages.params.evaluation import Suite


def score(expected: str, answer: str, suite: Suite) -> dict[str, tuple[float, float]]:
    return {"valid_json": (float(parse(answer) is not None), 1.0)}
