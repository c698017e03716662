"""Mean of the F1 of each label, 2TP / (2TP + FP + FN), so that a rare label counts as much as a common one.

The labels are those of the expected answers. An answer with another label, or with none, is a miss of the expected one.
In a part of the rows, labels that are neither expected nor given there do not count.
"""

from collections.abc import Sequence
from typing import Any

from modelmake.errors import UserError
from stages.answers.json_answer import fields
from stages.answers.reply import Reply
from stages.evaluating.metrics import Metric, Sparse, Statistics, ratio
from stages.params.evaluation import Suite

METRIC = Metric("higher", 0, 1, "Lewis 1991, Evaluating Text Categorization: macroaveraging")
MOST_LABELS = 1000


def usable(expected: Reply, suite: Suite) -> bool:
    return _label(expected, suite) is not None


def score_rows(measured: Sequence[tuple[Reply, Reply, Suite]]) -> list[dict[str, Statistics]]:
    """Two numbers a label: 2TP, and how often it is expected or given.

    Raises:
        UserError: there are too many labels.
    """
    pairs = [
        (_label(expected, suite) if not expected.calls else None, _label(answer, suite))
        for expected, answer, suite in measured
    ]
    labels = dict.fromkeys(label for label, _ in pairs if label is not None)
    if len(labels) > MOST_LABELS:
        raise UserError(
            f"suites: macro_f1: the expected answers have {len(labels)} labels: want at most {MOST_LABELS}; leave it "
            "out, or name another field as label"
        )
    places = {label: 2 * n for n, label in enumerate(labels)}
    result = []
    for expected, given in pairs:
        counts: dict[int, float] = {}
        if expected is not None:
            counts[places[expected] + 1] = 1
            if given == expected:
                counts = {places[expected]: 2, places[expected] + 1: 2}
            elif given in places:
                counts[places[given] + 1] = 1
        result.append({"macro_f1": Sparse(2 * len(places), counts)})
    return result


def combine(sums: Any) -> Any:
    """(..., 2 · labels) → (...)."""
    import numpy as np

    labels = sums.reshape(*sums.shape[:-1], -1, 2)
    counted = (labels[..., 1] > 0).sum(axis=-1)
    return ratio(np.stack([ratio(labels).sum(axis=-1), counted], axis=-1))


def _label(reply: Reply, suite: Suite) -> tuple[bool, Any] | None:
    """The label of an answer, truth values told apart from numbers; None if there is none, or no plain value."""
    label = fields(reply.text).get(suite.label)
    return None if label is None or isinstance(label, list | dict) else (isinstance(label, bool), label)
