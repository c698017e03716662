"""Share of answers that are minified JSON, which takes the fewest tokens to generate."""

import json

from stages.answers.json_answer import parse
from stages.answers.reply import Reply
from stages.evaluating.metrics import Metric, of_text
from stages.params.evaluation import Suite

METRIC = Metric("higher", 0, 1, "RFC 8259, section 2: white space between tokens is insignificant")


def score(expected: Reply, answer: Reply, suite: Suite) -> dict[str, tuple[float, float]]:
    value = parse(answer.text)
    minified = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return {"compact": of_text(value is not None and answer.text.strip() == minified, expected)}
