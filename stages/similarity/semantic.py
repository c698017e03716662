"""Rows that say the same in other words: pairs of embeddings with a high exact cosine.

As SemDeDup (Abbas et al. 2023, arXiv:2303.09540), except that a row is compared with its nearest neighbours rather than
with a k-means cluster. Up to `MAX_EXACT_ROWS` rows the neighbours are exact; above that HNSW approximates them (Malkov
and Yashunin 2016, arXiv:1603.09320).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from stages.params.data import Dedup, Semantic
from stages.similarity import embeddings, near

MAX_EXACT_ROWS = 50_000  # above it the index is faster on one core
BLOCK_ROWS = 256  # rows that are compared with all at once
TOLERANCE = 1e-3  # of cosines in float32, or in the index's float16
PAIRS_AT_ONCE = 1 << 16  # that are verified


class SemanticDuplicate(NamedTuple):
    """A row, the one to keep in its place, and the cosine of their embeddings."""

    row: int
    kept: int
    cosine: float


class Search:
    """Search for semantic duplicates with one encoder; counts the rows that it compared and those too long for it."""

    def __init__(self, encoder: Path, params: Dedup, memo: Path | None) -> None:
        self.encoder, self.params = embeddings.Encoder(encoder, params), params
        folder = memo and embeddings.memo_folder(memo / "semantic", encoder, params.semantic.max_tokens)
        self.memo: Path | None = folder
        self.compared = self.over_long = 0

    def find_duplicates(self, kind: str, ids: Sequence[str], texts: Sequence[str]) -> list[SemanticDuplicate]:
        """Every row but the first of each cluster of similar rows; the first one is kept."""
        vectors = embeddings.embed(ids, texts, self.encoder, self.memo / kind if self.memo else None)
        rows = np.flatnonzero(~np.isnan(vectors[:, 0]))
        vectors = vectors[rows] if len(rows) < len(ids) else vectors
        self.compared, self.over_long = self.compared + len(rows), self.over_long + len(ids) - len(rows)
        roots = near.clusters(len(rows), find_pairs(vectors, self.params.semantic, self.params.near.threads))
        duplicates = np.flatnonzero(roots != np.arange(len(roots)))
        similarities = cosines(vectors, np.stack([roots[duplicates], duplicates], axis=1))
        columns = rows[duplicates].tolist(), rows[roots[duplicates]].tolist(), similarities.tolist()
        return list(map(SemanticDuplicate, *columns))

    def counts(self) -> dict[str, int]:
        """{compared, over_long}, for the report."""
        return {"compared": self.compared, "over_long": self.over_long}


def find_pairs(vectors: np.ndarray, params: Semantic, threads: int, max_exact: int = MAX_EXACT_ROWS) -> np.ndarray:
    """Pairs (n, 2) with a cosine of at least `threshold`, one row being among the other's `neighbours` nearest."""
    n = len(vectors)
    neighbours = min(params.neighbours, n - 1)
    if neighbours < 1:
        return np.empty((0, 2), np.int64)
    if n <= max_exact:
        pairs = _exact_neighbours(vectors, neighbours, params.threshold)
    else:
        pairs = _approximate_neighbours(vectors, neighbours, threads)
    pairs = np.unique(np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1), axis=0)
    return pairs[cosines(vectors, pairs) >= params.threshold]


def cosines(vectors: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """The exact cosine of each of `pairs` (n, 2), in float64."""
    result = np.empty(len(pairs))
    for start in range(0, len(pairs), PAIRS_AT_ONCE):
        first, second = (vectors[side].astype(np.float64) for side in pairs[start : start + PAIRS_AT_ONCE].T)
        norms = np.einsum("ij,ij->i", first, first) * np.einsum("ij,ij->i", second, second)
        result[start : start + PAIRS_AT_ONCE] = np.einsum("ij,ij->i", first, second) / np.sqrt(norms)
    return result


def _exact_neighbours(vectors: np.ndarray, neighbours: int, threshold: float) -> np.ndarray:
    """Pairs (n, 2) of each row and those near the threshold or above, at most its nearest `neighbours`."""
    pairs = [np.empty((0, 2), np.int64)]
    for start in range(0, len(vectors), BLOCK_ROWS):
        products = vectors[start : start + BLOCK_ROWS] @ vectors.T
        products[np.arange(len(products)), np.arange(start, start + len(products))] = -2  # a row with itself
        close = products >= threshold - TOLERANCE
        for row in np.flatnonzero(close.sum(axis=1) > neighbours):
            close[row] = False
            close[row, np.argpartition(-products[row], neighbours - 1)[:neighbours]] = True
        first, second = np.nonzero(close)
        pairs.append(np.stack([first + start, second], axis=1))
    return np.concatenate(pairs)


def _approximate_neighbours(vectors: np.ndarray, neighbours: int, threads: int) -> np.ndarray:
    """Pairs (n, 2) of each row and most of its nearest; one thread builds the index, so that it is reproducible."""
    from usearch.index import Index

    index = Index(ndim=vectors.shape[1], metric="ip", dtype="f16", expansion_search=max(64, 2 * neighbours))
    index.add(np.arange(len(vectors)), vectors, threads=1)
    matches = index.search(vectors, neighbours + 1, threads=threads)
    keys = np.asarray(matches.keys).astype(np.int64)
    counts = np.asarray(matches.counts)
    valid = np.arange(keys.shape[1]) < counts[:, None]
    rows = np.broadcast_to(np.arange(len(keys))[:, None], keys.shape)
    return np.stack([rows[valid], keys[valid]], axis=1)
