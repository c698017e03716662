"""Share of answers that equal the expected one: the same JSON value, or else the same text but for outer space."""

from stages.evaluating.json_answer import equal, parse
from stages.evaluating.metrics import Metric
from stages.params.evaluation import Suite

METRIC = Metric("higher", 0, 1, "Rajpurkar et al. 2016, SQuAD, arXiv:1606.05250; not normalized")


def score(expected: str, answer: str, suite: Suite) -> dict[str, tuple[float, float]]:
    value = parse(expected)
    matches = answer.strip() == expected.strip() if value is None else equal(parse(answer), value)
    return {"exact_match": (float(matches), 1.0)}
