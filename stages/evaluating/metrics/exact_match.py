"""Share of answers that say exactly what was expected: the same JSON value, or the same text."""

from stages.evaluating.json_answer import parse, same
from stages.params.evaluation import Suite


def score(expected: str, answer: str, suite: Suite) -> dict[str, tuple[float, float]]:
    wanted = parse(expected)
    right = answer.strip() == expected.strip() if wanted is None else same(parse(answer), wanted)
    return {"exact_match": (float(right), 1.0)}
