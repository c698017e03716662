"""Mean length of answers in characters, without reasoning and calls. Longer ones cost more, and judges prefer them."""

from stages.answers.reply import Reply
from stages.evaluating.metrics import Metric, Statistics
from stages.params.evaluation import Suite

METRIC = Metric("lower", 0, None, "Dubois et al. 2024, Length-Controlled AlpacaEval, arXiv:2404.04475")


def score(expected: Reply, answer: Reply, suite: Suite) -> dict[str, Statistics]:
    return {"length": (float(len(answer.text)), 1.0)}
