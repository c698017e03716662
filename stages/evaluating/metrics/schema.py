"""Share of answers that are valid under the suite's JSON Schema (draft 2020-12)."""

import jsonschema

from stages.evaluating.json_answer import parse
from stages.params.evaluation import Suite


def score(expected: str, answer: str, suite: Suite) -> dict[str, tuple[float, float]]:
    value = parse(answer)
    valid = value is not None and jsonschema.Draft202012Validator(suite.answer_schema).is_valid(value)
    return {"schema": (float(valid), 1.0)}
