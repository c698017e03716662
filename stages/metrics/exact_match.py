"""Share of answers that say exactly what was expected: the same JSON value, or the same text."""

from stages.answers import parse
from stages.params.evaluation import Suite


def score(expected: str, answer: str, suite: Suite) -> dict[str, tuple[float, float]]:
    wanted = parse(expected)
    same = answer.strip() == expected.strip() if wanted is None else parse(answer) == wanted
    return {"exact_match": (float(same), 1.0)}
