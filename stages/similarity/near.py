"""Near-duplicates: MinHash LSH finds candidates, exact Jaccard similarity decides.

MinHash: Broder 1997, "On the resemblance and containment of documents". Bands: Leskovec, Rajaraman, Ullman, "Mining of
Massive Datasets", 3.4. Where many texts share a band (a template, a long system prompt), the bands after it tell those
texts apart, as in Bawa et al. 2005, "LSH Forest".
"""

import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from stages.params.data import Near
from stages.similarity import minhash
from stages.similarity.memo import LastSearch

BATCH = 4096  # texts that are signed, or pairs that are compared, at once
NEAREST = 32  # texts before it that a text is held against in a band, or in some bands one after another
DEEPEST = 4  # so many bands
DEVIATIONS = 5  # below the threshold, at which an estimate still counts: 1 in 3.5 million is farther off


class Found(NamedTuple):
    """Pairs of texts, sorted."""

    pairs: np.ndarray  # (n, 2) int64: indices of texts, the smaller one first
    similarities: np.ndarray  # (n,) Jaccard, in [threshold, 1]


def find(texts: Sequence[str], near: Near, last: LastSearch | None = None) -> Found:
    """Pairs of texts at least `near.threshold` alike: precision is 1, recall is the banding's.

    The chance that a pair of similarity s is looked at is 1 - (1 - s^r)^b, with b bands of r rows. What the last search
    found is taken from there: the result is the same. `texts` may read them from somewhere: each is asked for
    once. Memory: four bytes a permutation and some 100 more, a text.
    """
    plain = Plain(texts)
    signatures = signed(plain, near, last)
    pairs, crowded = _candidates(signatures, near, last)
    similarities = np.full(len(pairs), np.nan)
    if last:
        last.recall(pairs, similarities)
    new = np.isnan(similarities)
    similarities[new] = compared(plain, pairs[new], near)
    if last:
        last.keep(signatures, pairs, similarities, crowded)
    alike = similarities >= near.threshold
    return Found(pairs[alike], similarities[alike])


class Plain:
    """Texts, made plain when they are first wanted, in a temporary file of the working directory."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts, self.size, self.lock = texts, 0, Lock()
        self.bounds = np.full((len(texts), 2), -1, np.int64)  # of each text in the file
        self.file = tempfile.TemporaryFile(dir=".")  # noqa: SIM115 - it goes with this object

    def add(self, indices: np.ndarray) -> tuple[minhash.Bytes, minhash.Bounds]:
        """Makes those texts plain and keeps them; also gives them by themselves."""
        data, bounds = minhash.packed([self.texts[i] for i in indices])
        with self.lock:
            self.bounds[indices] = bounds + self.size
            self.file.write(data)
            self.size += len(data)
        return data, bounds

    def of(self, indices: np.ndarray) -> minhash.Bytes:
        """The bytes that `bounds` is about, those texts among them."""
        wanted = np.unique(indices)
        for batch in _batches(wanted[self.bounds[wanted, 0] < 0]):
            self.add(batch)
        self.file.flush()
        return np.memmap(self.file, np.uint8, "r") if self.size else np.empty(0, np.uint8)


def signed(plain: Plain, near: Near, last: LastSearch | None = None) -> minhash.Signatures:
    """The signature of every text (texts, permutations)."""
    signatures, new = np.empty((len(plain.texts), near.permutations), np.uint32), np.arange(len(plain.texts))
    if last:
        minhash.take(last.signatures, last.places, signatures)
        new = np.flatnonzero(last.places < 0)
    permutation = minhash.permuted(near.permutations, near.seed)

    def sign(batch: np.ndarray) -> None:
        data, bounds = plain.add(batch)
        part = np.empty((len(batch), near.permutations), np.uint32)
        minhash.sign(data, bounds, near.shingle_chars, *permutation, part)
        signatures[batch] = part

    with ThreadPoolExecutor(near.threads) as pool:
        list(pool.map(sign, _batches(new)))
    return signatures


def compared(plain: Plain, pairs: np.ndarray, near: Near) -> np.ndarray:
    """The exact similarity of each of `pairs` (n, 2)."""
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    similarities = np.empty(len(pairs))
    similarities[order] = minhash.similarities(plain.of(pairs), plain.bounds, pairs[order], near.shingle_chars)
    return similarities


def clusters(n: int, pairs: np.ndarray) -> np.ndarray:
    """For each of n texts the smallest index that it is connected to by `pairs` (pairs, 2)."""
    graph = coo_array((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    labels = connected_components(graph, directed=False)[1]
    return np.unique(labels, return_index=True)[1][labels]


def _candidates(signatures: minhash.Signatures, near: Near, last: LastSearch | None) -> tuple[np.ndarray, bool]:
    """Pairs (n, 2) that share a band and may be alike by their signatures, sorted; and whether a band is crowded.

    Where none is, a pair of old texts is one whatever the new ones are, so that only these are held against all.
    """
    deviation = (near.threshold * (1 - near.threshold) / near.permutations) ** 0.5
    least = max(0, int(np.ceil((near.threshold - DEVIATIONS * deviation) * near.permutations)))
    if last and not last.crowded:
        old, new = np.flatnonzero(last.places >= 0), np.flatnonzero(last.places < 0)
        width = near.permutations // near.bands
        across, crowded = minhash.joined(signatures, old, new, near.bands, width, NEAREST, least)
        if not crowded:
            return _sorted([last.pairs()[0], across, _banded(signatures, new, near, least)[0]]), False
    pairs, crowded = _banded(signatures, np.arange(len(signatures)), near, least)
    return _sorted([pairs]), crowded


def _banded(signatures: minhash.Signatures, members: np.ndarray, near: Near, least: int) -> tuple[np.ndarray, bool]:
    """Pairs of members, some more than once; where a band is crowded, by the bands after it too."""
    width, found, crowded = near.permutations // near.bands, [np.empty((0, 2), np.int64)], False
    for band in range(near.bands):
        rest = members
        for depth in range(1, DEEPEST + 1):
            pairs, rest = minhash.candidates(signatures, rest, band * width, depth * width, NEAREST, least)
            found.append(pairs)
            if not len(rest):
                break
            crowded = True
    return np.concatenate(found), crowded


def _sorted(found: list[np.ndarray]) -> np.ndarray:
    codes = np.unique(minhash.coded(np.concatenate(found)))
    return np.stack([codes >> 32, codes & 0xFFFFFFFF], axis=1)


def _batches(indices: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(indices), BATCH):
        yield indices[start : start + BATCH]
