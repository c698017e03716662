"""Which rows stay: each that is alike to no row that stays. So no row goes because of one that goes itself."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from stages.similarity.near import SimilarPairs


class Loss(NamedTuple):
    """Why a row goes."""

    kept: int  # the row that stays
    reason: str
    similarity: float


def select(held: Sequence[bool], pairs: Mapping[str, SimilarPairs]) -> dict[int, Loss]:
    """{row: why it goes}. Of two rows of a pair the first stays, if it is not gone already.

    A row that has pairs with several rows that stay goes because of the most similar one, by the first reason.

    Args:
        held: of each row, whether it stays in any case.
        pairs: {reason: pairs of rows}, the smaller number first.
    """
    all_pairs = np.concatenate([part.pairs for part in pairs.values()])
    similarities = np.concatenate([part.similarities for part in pairs.values()])
    reasons = np.repeat(np.arange(len(pairs)), [len(part.pairs) for part in pairs.values()])
    names, losses = list(pairs), {}
    for number in np.lexsort((all_pairs[:, 0], -similarities, reasons, all_pairs[:, 1])).tolist():
        first, second = all_pairs[number].tolist()
        if not held[second] and second not in losses and first not in losses:
            losses[second] = Loss(first, names[reasons[number]], float(similarities[number]))
    return losses
