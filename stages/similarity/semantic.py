"""Rows that say the same in other words: pairs with a high exact cosine of questions and of answers, each on their own.

As SemDeDup (Abbas et al. 2023, arXiv:2303.09540), except that a row is compared with its nearest neighbours rather than
with a k-means cluster. Up to `MAX_EXACT_ROWS` rows the neighbours are exact; above that HNSW approximates them (Malkov
and Yashunin 2016, arXiv:1603.09320).
"""

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from stages.params.data import Dedup, Semantic
from stages.similarity import embeddings
from stages.similarity.comparison import ANSWER, QUESTION, REJECTED, SYSTEM, Comparison
from stages.similarity.near import SimilarPairs

MAX_EXACT_ROWS = 50_000  # above it the index is faster on one core
BLOCK_ROWS = 256  # rows that are compared with all at once
TOLERANCE = 1e-3  # of cosines in float32, or in the index's float16
PAIRS_AT_ONCE = 1 << 16  # that are verified
NAMES = {QUESTION: "questions", ANSWER: "answers", REJECTED: "rejected"}  # of folders in the memo


class Search:
    """Search for semantic duplicates with one encoder; counts the rows that it compared and those too long for it."""

    def __init__(self, encoder: Path, params: Dedup, memo: Path | None) -> None:
        self.encoder, self.params = embeddings.Encoder(encoder, params), params
        folder = memo and embeddings.memo_folder(memo / "semantic", encoder, params.semantic.max_tokens)
        self.memo: Path | None = folder
        self.compared = self.over_long = 0

    def find_pairs(self, kind: str, comparison: Comparison) -> SimilarPairs:
        """Pairs of rows that say the same: equal in their facts and system prompts, near in question and in answers.

        The similarity is the cosine of the side that is least near.
        """
        questions, asks = self._embed(kind, comparison, QUESTION)
        answers = [self._embed(kind, comparison, side) for side in (ANSWER, REJECTED)]
        rows = np.flatnonzero(np.all([asks, *(known for _, known in answers)], axis=0))
        self.compared, self.over_long = self.compared + len(rows), self.over_long + len(comparison) - len(rows)
        found = find_pairs(questions.of(rows), self.params.semantic, self.params.near.threads)
        pairs = rows[found]
        same = (comparison.contexts, comparison.answers, comparison.good, _distinct(comparison, SYSTEM)[0])
        pairs = pairs[np.all([part[pairs[:, 0]] == part[pairs[:, 1]] for part in same], axis=0)]
        least = np.min([side.cosines(pairs) for side in (questions, *(side for side, _ in answers))], axis=0)
        near = (least >= self.params.semantic.threshold) & comparison.same_figures(pairs)
        return SimilarPairs(pairs[near], least[near])

    def _embed(self, kind: str, comparison: Comparison, side: int) -> "tuple[_Vectors, np.ndarray]":
        """The vectors of one text of every row, and whether each row has one, or no such text at all."""
        numbers, texts = _distinct(comparison, side)
        ids = [hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest() for text in texts]
        folder = self.memo / f"{kind}-{NAMES[side]}" if self.memo else None
        vectors = embeddings.embed(ids, texts, self.encoder, folder)
        known = ~np.isnan(vectors[:, 0])
        if side != QUESTION and "" in texts:
            known[texts.index("")] = True
        return _Vectors(vectors, numbers), known[numbers]

    def counts(self) -> dict[str, int]:
        """{compared, over_long}, for the report."""
        return {"compared": self.compared, "over_long": self.over_long}


class _Vectors(NamedTuple):
    """Vectors of the distinct texts of rows."""

    vectors: np.ndarray  # (texts, D); NaN of an empty text
    numbers: np.ndarray  # (rows,): of each row the number of its text

    def of(self, rows: np.ndarray) -> np.ndarray:
        return self.vectors[self.numbers[rows]]

    def cosines(self, pairs: np.ndarray) -> np.ndarray:
        """Of the texts of each of `pairs` (n, 2); 1 of equal texts, empty ones too, 0 where one alone is empty."""
        numbers = self.numbers[pairs]
        found = np.nan_to_num(cosines(self.vectors, numbers), nan=0.0)
        return np.where(numbers[:, 0] == numbers[:, 1], 1.0, found)


def _distinct(comparison: Comparison, side: int) -> tuple[np.ndarray, list[str]]:
    """(of each row the number of its text, the distinct texts)."""
    texts: dict[str, int] = {}
    numbers = [texts.setdefault(comparison.text(place, side), len(texts)) for place in range(len(comparison))]
    return np.array(numbers, np.int64), list(texts)


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
