"""Share of answers whose label field equals the expected one."""

from stages.answers.json_answer import equal, fields
from stages.answers.reply import Reply
from stages.evaluating.metrics import Metric, of_text
from stages.params.evaluation import Suite

METRIC = Metric("higher", 0, 1, "Larson et al. 2019, CLINC150, arXiv:1909.02027: accuracy of intents")


def usable(expected: Reply, suite: Suite) -> bool:
    return fields(expected.text).get(suite.label) is not None


def score(expected: Reply, answer: Reply, suite: Suite) -> dict[str, tuple[float, float]]:
    label = fields(expected.text).get(suite.label)
    matches = label is not None and equal(fields(answer.text).get(suite.label), label)
    return {"label_accuracy": of_text(matches, expected)}
