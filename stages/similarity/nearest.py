"""The rows whose questions are most alike to those of other rows.

MinHash signatures of all rows are compared, without banding, and the nearest of them exactly: a row that is hardly like
another has neighbours too.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from stages.params.data import Near
from stages.params.examination import CANDIDATES
from stages.rows.mapped_rows import ConcatenatedRows, RowTexts
from stages.rows.row import Row
from stages.similarity import near
from stages.similarity.forms import plain_form
from stages.similarity.packed_texts import PackedTexts
from stages.similarity.sides import sides

BLOCK = 1 << 16  # signatures that are compared at a time


class Neighbour(NamedTuple):
    index: int  # of the row
    similarity: float  # Jaccard, of the questions; of texts, of the texts


def nearest(
    rows: Sequence[Row], indices: Sequence[int], queries: Sequence[Row], params: Near, count: int
) -> list[list[Neighbour]]:
    """Of each query at most `count` neighbours among `rows[indices]`, most alike first; none that shares nothing.

    `count` is at most CANDIDATES.

    Memory: four bytes a permutation and row.
    """
    places = [*indices, *range(len(rows), len(rows) + len(queries))]
    packed = PackedTexts(RowTexts(ConcatenatedRows(rows, queries), places, _asked))
    signatures, n = near.sign(packed, params), len(indices)
    result = []
    for query in range(n, len(places)):
        equal = np.concatenate([
            np.count_nonzero(signatures[start : min(start + BLOCK, n)] == signatures[query], axis=1)
            for start in range(0, n, BLOCK)
        ] or [np.empty(0, np.int64)])  # fmt: skip
        candidates = np.argsort(-equal, kind="stable")[:CANDIDATES]
        pairs = np.stack([candidates, np.full(len(candidates), query)], axis=1)
        similarities = near.compare(packed, pairs, params) if len(pairs) else np.empty(0)
        order = np.lexsort((candidates, -similarities))[:count]
        result.append([
            Neighbour(int(indices[candidates[at]]), round(float(similarities[at]), 4))
            for at in order if similarities[at] > 0
        ])  # fmt: skip
    return result


def _asked(row: Row) -> str:
    return plain_form(sides(row.content).question)
