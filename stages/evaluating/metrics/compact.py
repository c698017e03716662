"""Share of answers that are minified JSON, which takes the fewest tokens to generate."""

import json

from stages.evaluating.json_answer import parse
from stages.params.evaluation import Suite


def score(expected: str, answer: str, suite: Suite) -> dict[str, tuple[float, float]]:
    value = parse(answer)
    minified = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return {"compact": (float(value is not None and answer.strip() == minified), 1.0)}
