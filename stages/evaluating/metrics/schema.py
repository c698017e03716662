"""Share of answers that are valid under the suite's JSON Schema (draft 2020-12)."""

from stages.answers.json_answer import parse
from stages.answers.reply import Reply
from stages.evaluating.metrics import Metric, of_text
from stages.params.evaluation import Suite

METRIC = Metric("higher", 0, 1, "JSON Schema, draft 2020-12")


def score(expected: Reply, answer: Reply, suite: Suite) -> dict[str, tuple[float, float]]:
    import jsonschema

    value = parse(answer.text)
    valid = value is not None and jsonschema.Draft202012Validator(suite.answer_schema).is_valid(value)
    return {"schema": of_text(valid, expected)}
