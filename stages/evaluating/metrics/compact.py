"""Share of answers that are JSON without a needless space: what costs the fewest tokens to serve."""

import json

from stages.evaluating.json_answer import parse
from stages.params.evaluation import Suite


def score(expected: str, answer: str, suite: Suite) -> dict[str, tuple[float, float]]:
    value = parse(answer)
    minified = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return {"compact": (float(value is not None and answer.strip() == minified), 1.0)}
