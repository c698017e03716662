"""Rows that say the same in other words: embeddings that are near each other, by their exact cosine.

As SemDeDup (Abbas et al. 2023, arXiv:2303.09540), but that a row is held against its nearest ones, not against a
cluster's. Few rows are all compared; of more, HNSW finds the nearest (Malkov and Yashunin 2016, arXiv:1603.09320).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from stages.params.data import Dedup, Semantic
from stages.similarity import embeddings, near

EXACT = 50_000  # rows that are all compared; of more, the index is faster on one core
BLOCK = 256  # rows that are held against all at once
MARGIN = 1e-3  # by which a product of float32, or float16 in the index, may be off
VERIFIED = 1 << 16  # pairs at once


class Stood(NamedTuple):
    """A row, the one that stands for it, and the cosine of their embeddings."""

    row: int
    kept: int
    cosine: float


class Search:
    """Searches rows by what `encoder` makes of them; counts what is compared, and what is too long for that."""

    def __init__(self, encoder: Path, params: Dedup, memo: Path | None) -> None:
        self.encoder, self.params = embeddings.Encoder(encoder, params), params
        self.memo = embeddings.folder(memo / "semantic", encoder, params.semantic.max_tokens) if memo else None
        self.compared = self.over_long = 0

    def find(self, kind: str, ids: Sequence[str], texts: Sequence[str]) -> list[Stood]:
        """Every row that an earlier one stands for, where near ones are one cluster: its first row stands for all."""
        vectors = embeddings.embed(ids, texts, self.encoder, self.memo / kind if self.memo else None)
        rows = np.flatnonzero(~np.isnan(vectors[:, 0]))
        vectors = vectors[rows] if len(rows) < len(ids) else vectors
        self.compared, self.over_long = self.compared + len(rows), self.over_long + len(ids) - len(rows)
        roots = near.clusters(len(rows), alike(vectors, self.params.semantic, self.params.near.threads))
        others = np.flatnonzero(roots != np.arange(len(roots)))
        found = cosines(vectors, np.stack([roots[others], others], axis=1))
        return list(map(Stood, rows[others].tolist(), rows[roots[others]].tolist(), found.tolist()))

    def told(self) -> dict[str, int]:
        """For the report."""
        return {"compared": self.compared, "over_long": self.over_long}


def alike(vectors: np.ndarray, params: Semantic, threads: int, exact: int = EXACT) -> np.ndarray:
    """Pairs (n, 2) of rows at least `threshold` alike, one of them among the `neighbours` nearest of the other."""
    n = len(vectors)
    neighbours = min(params.neighbours, n - 1)
    if neighbours < 1:
        return np.empty((0, 2), np.int64)
    found = _compared(vectors, neighbours, params.threshold) if n <= exact else _indexed(vectors, neighbours, threads)
    found = np.unique(np.sort(found[found[:, 0] != found[:, 1]], axis=1), axis=0)
    return found[cosines(vectors, found) >= params.threshold]


def cosines(vectors: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """The exact cosine of each of `pairs` (n, 2)."""
    found = np.empty(len(pairs))
    for start in range(0, len(pairs), VERIFIED):
        first, second = (vectors[side].astype(np.float64) for side in pairs[start : start + VERIFIED].T)
        norms = np.einsum("ij,ij->i", first, first) * np.einsum("ij,ij->i", second, second)
        found[start : start + VERIFIED] = np.einsum("ij,ij->i", first, second) / np.sqrt(norms)
    return found


def _compared(vectors: np.ndarray, neighbours: int, threshold: float) -> np.ndarray:
    """Each row with those that may be alike, at most the nearest `neighbours`."""
    pairs = [np.empty((0, 2), np.int64)]
    for start in range(0, len(vectors), BLOCK):
        products = vectors[start : start + BLOCK] @ vectors.T
        products[np.arange(len(products)), np.arange(start, start + len(products))] = -2  # itself
        close = products >= threshold - MARGIN
        for row in np.flatnonzero(close.sum(axis=1) > neighbours):
            close[row] = False
            close[row, np.argpartition(-products[row], neighbours - 1)[:neighbours]] = True
        first, second = np.nonzero(close)
        pairs.append(np.stack([first + start, second], axis=1))
    return np.concatenate(pairs)


def _indexed(vectors: np.ndarray, neighbours: int, threads: int) -> np.ndarray:
    """Each row with nearly always its nearest; built by one thread, so that it is the same for the same rows."""
    from usearch.index import Index

    index = Index(ndim=vectors.shape[1], metric="ip", dtype="f16", expansion_search=max(64, 2 * neighbours))
    index.add(np.arange(len(vectors)), vectors, threads=1)
    matches = index.search(vectors, neighbours + 1, threads=threads)
    keys = np.asarray(matches.keys).astype(np.int64)
    counts = np.asarray(matches.counts)
    held = np.arange(keys.shape[1]) < counts[:, None]
    rows = np.broadcast_to(np.arange(len(keys))[:, None], keys.shape)
    return np.stack([rows[held], keys[held]], axis=1)
