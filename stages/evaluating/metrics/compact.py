"""Share of answers that are minified JSON, which takes the fewest tokens to generate."""

import json

from stages.evaluating.json_answer import parse
from stages.evaluating.metrics import Metric
from stages.params.evaluation import Suite

METRIC = Metric("higher", 0, 1, "RFC 8259, section 2: white space between tokens is insignificant")


def score(expected: str, answer: str, suite: Suite) -> dict[str, tuple[float, float]]:
    value = parse(answer)
    minified = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return {"compact": (float(value is not None and answer.strip() == minified), 1.0)}
