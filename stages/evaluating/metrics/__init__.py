"""One metric a module. Its `score` returns {name: (numerator, denominator)} for one row, METRIC says what scores mean.

The signature is `score(expected, answer, suite)` for chats, with replies (stages/answers/reply.py), and
`score(likelihood)` for texts. `usable(expected, suite)`, where there is one, is False of an expected answer that lacks
what the metric compares, so that every answer to it is wrong.

The metric of a suite is the sum of numerators over the sum of denominators. Both means and
F1 = 2TP / (2TP + FP + FN) have this form, so every metric can be bootstrapped by resampling rows.

To add a metric: a module here, its name in `metrics` of `Suite` or `TextSuite` (stages/params/evaluation.py), and a row
in docs/metrics.md.
"""

import importlib
from types import ModuleType
from typing import Literal, NamedTuple

from stages.answers.reply import Reply
from stages.evaluating.text_likelihood import TextLikelihood
from stages.params.evaluation import AnySuite, Suite


class Metric(NamedTuple):
    """What the scores of a module mean."""

    better: Literal["higher", "lower"]
    least: float
    most: float | None  # None: unbounded
    source: str  # a paper, standard or program that defines it


def modules(suite: AnySuite) -> list[ModuleType]:
    """The metrics of a suite, in its order."""
    return [importlib.import_module(name) for name in suite.modules()]


def declared(suite: AnySuite) -> dict[str, Metric]:
    """{name: what it means} of every score of the suite. The names are those of the scores of an empty answer."""
    empty = (Reply(""), Reply(""), suite) if isinstance(suite, Suite) else (TextLikelihood(0.0, 0, 0, 0),)
    return {name: metric.METRIC for metric in modules(suite) for name in metric.score(*empty)}


def of_text(hit: bool, expected: Reply) -> tuple[float, float]:
    """(1 or 0, 1) of a metric of text; (0, 0) where a call is expected, so that the row does not count."""
    return (float(hit), 1.0) if not expected.calls else (0.0, 0.0)
