"""Rows that stay are unlike each other, and every row that goes is like one that stays."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stages.similarity.near import SimilarPairs
from stages.similarity.selection import Loss, select


def pairs(*found: tuple[int, int, float]) -> SimilarPairs:
    return SimilarPairs(np.array([f[:2] for f in found], np.int64).reshape(-1, 2), np.array([f[2] for f in found]))


def test_a_chain_loses_every_second_row() -> None:
    chain = pairs((0, 1, 0.9), (1, 2, 0.9), (2, 3, 0.9), (3, 4, 0.9))

    assert select([False] * 5, {"near": chain}) == {1: Loss(0, "near", 0.9), 3: Loss(2, "near", 0.9)}


def test_a_row_goes_by_the_first_reason_for_the_most_similar_row_that_stays() -> None:
    near, other = pairs((0, 3, 0.8), (1, 3, 0.9)), pairs((2, 3, 1.0))

    assert select([False] * 4, {"near": near, "other": other}) == {3: Loss(1, "near", 0.9)}


def test_held_rows_stay() -> None:
    assert select([True, True, False], {"near": pairs((0, 1, 1.0), (1, 2, 1.0))}) == {2: Loss(1, "near", 1.0)}


@given(st.sets(st.tuples(st.integers(0, 11), st.integers(0, 11)).filter(lambda p: p[0] < p[1])), st.integers(0, 5))
def test_the_rows_that_stay_dominate_the_others_and_not_each_other(found: set[tuple[int, int]], held: int) -> None:
    losses = select([row < held for row in range(12)], {"near": pairs(*((a, b, 0.9) for a, b in sorted(found)))})

    assert all((loss.kept, row) in found and loss.kept not in losses for row, loss in losses.items())
    assert all(a in losses or b in losses or b < held for a, b in found)
