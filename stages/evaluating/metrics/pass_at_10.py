"""The chance that one of ten samples of an answer passes the tests of its row, estimated from ten or more samples.

The expected answer holds the tests (docs/code.md).
"""

from collections.abc import Iterable
from pathlib import Path

from stages.answers.reply import Reply
from stages.evaluating.metrics import Metric, Statistics
from stages.evaluating.running_code import boundary, passing
from stages.params.evaluation import Suite

METRIC = Metric("higher", 0, 1, "Chen et al. 2021, Evaluating Large Language Models Trained on Code, arXiv:2107.03374")


def lacking() -> str:
    return boundary.lacking()


def usable(expected: Reply, suite: Suite) -> bool:
    return passing.usable(expected)


def prepare(pairs: Iterable[tuple[Reply, Reply]], file: Path) -> None:
    passing.prepare(pairs, file)


def score(expected: Reply, answer: Reply, suite: Suite) -> dict[str, Statistics]:
    return {"pass_at_10": passing.of_answer(expected, answer)}


def told(expected: Reply, answer: Reply) -> str:
    return passing.told(expected, answer)


def of_samples(passed: float, n: float) -> Statistics:
    return (round(passing.of_samples(passed, n, 10), 6), 1.0) if n else (0.0, 0.0)
