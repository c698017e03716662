"""All pairs of texts at or above a Jaccard similarity, exactly: the ground truth of benchmarks/dedup.py.

If |x ∩ y| ≥ a, then the prefixes of length |x| - a + m and |y| - a + m of the two sets, both in the same order, share m
members. Rare shingles are put first, and pairs whose prefixes share that many are compared. Xiao et al. 2011,
"Efficient Similarity Joins for Near-Duplicate Detection"; Wang et al. 2012, "Can We Beat the Prefix Filtering?".

Functions that call those of `stages` are not cached: numba's cache on disk would miss a change there.
"""

from collections.abc import Sequence

import numba
import numpy as np

from stages.similarity import jaccard
from stages.similarity.packed_texts import pack

COMMON = 60  # m: rows that share only a sentence or two have fewer
COUNTERS = 1 << 26  # of shingles, by hash


@numba.njit
def _distinct_hashes(data, bounds, text, chars, hashes):
    """Writes the hashes of the distinct shingles of a text, sorted; returns their number."""
    count = jaccard.shingle_hashes(data, bounds[text, 0], bounds[text, 1], chars, hashes)
    hashes[:count].sort()
    distinct = 0
    for i in range(count):
        if i == 0 or hashes[i] != hashes[i - 1]:
            hashes[distinct] = hashes[i]
            distinct += 1
    return distinct


@numba.njit
def _prefixes(data, bounds, chars, threshold, common, mask):
    """The rarest shingles of every text, as two arrays: hashes, and their texts."""
    texts = len(bounds)
    hashes = np.empty((bounds[:, 1] - bounds[:, 0]).max() + 1, np.uint64)
    counts = np.zeros(int(mask) + 1, np.uint32)
    total = 0
    for text in range(texts):
        n = _distinct_hashes(data, bounds, text, chars, hashes)
        total += min(n, n - int(np.ceil(threshold * n)) + common)
        for i in range(n):
            counts[hashes[i] & mask] += 1
    tokens, owners, written = np.empty(total, np.uint64), np.empty(total, np.int32), 0
    for text in range(texts):
        n = _distinct_hashes(data, bounds, text, chars, hashes)
        order = np.argsort(counts[hashes[:n] & mask].astype(np.float64), kind="mergesort")
        for i in range(min(n, n - int(np.ceil(threshold * n)) + common)):
            tokens[written], owners[written] = hashes[order[i]], text
            written += 1
    return tokens, owners


@numba.njit(cache=True)
def _pairs_in_common(owners, starts, bounds, groups, texts, min_common):
    """Pairs of texts whose prefixes share at least `min_common` shingles, the smaller number of the two.

    Args:
        owners: texts, grouped by shingle; within a group in ascending order.
        starts: of each group in `owners`.
        bounds: text i has the groups groups[bounds[i] : bounds[i + 1]].
        texts: number of texts.
        min_common: of each text.
    """
    counts = np.zeros(texts, np.int32)
    met = np.empty(texts, np.int32)
    pairs, pair_count = np.empty((1024, 2), np.int64), 0
    for text in range(texts):
        n = 0
        for place in range(bounds[text], bounds[text + 1]):
            group = groups[place]
            for i in range(starts[group], starts[group + 1]):
                other = owners[i]
                if other >= text:
                    break
                if counts[other] == 0:
                    met[n] = other
                    n += 1
                counts[other] += 1
        for i in range(n):
            other = met[i]
            if counts[other] >= min(min_common[text], min_common[other]):
                if pair_count == len(pairs):
                    pairs = np.concatenate((pairs, np.empty_like(pairs)))
                pairs[pair_count, 0], pairs[pair_count, 1] = other, text
                pair_count += 1
            counts[other] = 0
    return pairs[:pair_count]


def similar_pairs(texts: Sequence[str], chars: int, threshold: float) -> np.ndarray:
    """Pairs (n, 2) of texts with a Jaccard similarity of shingles of at least `threshold`, sorted."""
    data, bounds = pack(texts)
    tokens, owners = _prefixes(data, bounds, chars, threshold, COMMON, np.uint64(COUNTERS - 1))
    order = np.lexsort((owners, tokens))
    tokens, owners = tokens[order], owners[order]
    starts = np.r_[np.flatnonzero(np.r_[True, tokens[1:] != tokens[:-1]]), len(tokens)]
    group = np.cumsum(np.r_[False, tokens[1:] != tokens[:-1]])
    by_owner = np.argsort(owners, kind="stable")
    spans = np.searchsorted(owners[by_owner], np.arange(len(texts) + 1))
    min_common = np.minimum(COMMON, np.ceil(threshold * np.diff(spans)))  # short texts: the prefix is the whole set
    pairs = _pairs_in_common(owners, starts, spans, group[by_owner], len(texts), min_common)
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    return pairs[jaccard.similarities(data, bounds, pairs, chars) >= threshold]
