"""chrF2 of all answers together, by sacrebleu's n-grams of up to six characters without white space, 0 to 100.

It needs no words, so it serves every language and short answers too.
"""

from typing import Any

from stages.answers.reply import Reply
from stages.evaluating.metrics import Metric, Statistics, ratio
from stages.params.evaluation import Suite

METRIC = Metric("higher", 0, 100, "Popović 2015, chrF; Post 2018, sacreBLEU, arXiv:1804.08771: nc:6, nw:0")
ORDER = 6
BETA = 2  # how often recall counts as much as precision


def score(expected: Reply, answer: Reply, suite: Suite) -> dict[str, Statistics]:
    """Of each order: n-grams of the answer, of the expected one, and those in both."""
    from sacrebleu.metrics.helpers import extract_all_char_ngrams

    if expected.calls:
        return {"chrf": (0,) * (3 * ORDER)}
    counts: list[int] = []
    made, wanted = (extract_all_char_ngrams(reply.text, ORDER, False) for reply in (answer, expected))
    for of_answer, of_expected in zip(made, wanted, strict=True):
        # n-grams that are longer than the expected answer do not count, as in sacrebleu
        counts += [of_answer.total() if of_expected else 0, of_expected.total(), (of_answer & of_expected).total()]
    return {"chrf": tuple(counts)}


def combine(sums: Any) -> Any:
    """(..., 18) → (...) as sacrebleu does: F of the mean precision and recall over the orders that both sides have."""
    import numpy as np

    made, wanted, common = np.moveaxis(sums.reshape(*sums.shape[:-1], ORDER, 3), -1, 0)
    both = (made > 0) & (wanted > 0)
    orders = both.sum(axis=-1)
    precision, recall = (
        ratio(np.stack([np.where(both, ratio(np.stack([common, of], axis=-1)), 0).sum(axis=-1), orders], axis=-1))
        for of in (made, wanted)
    )
    weighed = np.stack([(1 + BETA**2) * precision * recall, BETA**2 * precision + recall], axis=-1)
    return 100 * ratio(weighed)
