"""Share of answers that equal the expected one: the same calls in any order, the same JSON value, or else the same text
but for outer space. Text beside calls is not compared.
"""

from stages.answers.json_answer import common, equal, parse
from stages.answers.reply import Reply
from stages.evaluating.metrics import Metric
from stages.params.evaluation import Suite

METRIC = Metric("higher", 0, 1, "Rajpurkar et al. 2016, SQuAD, arXiv:1606.05250; not normalized")


def score(expected: Reply, answer: Reply, suite: Suite) -> dict[str, tuple[float, float]]:
    value = parse(expected.text)
    if expected.calls or answer.calls:
        wanted, made = ([{call.name: call.arguments} for call in reply.calls] for reply in (expected, answer))
        matches = common(wanted, made) == len(wanted) == len(made)
    elif value is None:
        matches = answer.text.strip() == expected.text.strip()
    else:
        matches = equal(parse(answer.text), value)
    return {"exact_match": (float(matches), 1.0)}
