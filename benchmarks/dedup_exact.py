"""All pairs of texts at or above a Jaccard similarity, exactly: the truth that searches are held against.

Of two sets x, y with |x ∩ y| ≥ a, the first |x| - a + m and |y| - a + m of their members, in any one order of all
members, have m in common. Rare shingles come first; pairs that have as many as that in common are compared. Xiao et al.
2011, "Efficient Similarity Joins for Near-Duplicate Detection"; Wang et al. 2012, "Can We Beat the Prefix Filtering?".
"""

from collections.abc import Sequence

import numba
import numpy as np

from stages.similarity import minhash

COMMON = 60  # m: rows that share a sentence or two have fewer
COUNTERS = 1 << 26


@numba.njit(cache=True)
def _distinct(data, bounds, text, chars, found):
    """Writes the distinct shingles of a text as 64 bits each, sorted; returns how many."""
    count = minhash.hashes(data, bounds[text, 0], bounds[text, 1], chars, found)
    found[:count].sort()
    distinct = 0
    for i in range(count):
        if i == 0 or found[i] != found[i - 1]:
            found[distinct] = found[i]
            distinct += 1
    return distinct


@numba.njit(cache=True)
def _prefixes(data, bounds, chars, threshold, common, mask):
    """The rarest shingles of every text, as (token, text) in two arrays."""
    texts = len(bounds)
    found = np.empty((bounds[:, 1] - bounds[:, 0]).max() + 1, np.uint64)
    counts = np.zeros(int(mask) + 1, np.uint32)
    total = 0
    for text in range(texts):
        n = _distinct(data, bounds, text, chars, found)
        total += min(n, n - int(np.ceil(threshold * n)) + common)
        for i in range(n):
            counts[found[i] & mask] += 1
    tokens, owners, written = np.empty(total, np.uint64), np.empty(total, np.int32), 0
    for text in range(texts):
        n = _distinct(data, bounds, text, chars, found)
        order = np.argsort(counts[found[:n] & mask].astype(np.float64), kind="mergesort")
        for i in range(min(n, n - int(np.ceil(threshold * n)) + common)):
            tokens[written], owners[written] = found[order[i]], text
            written += 1
    return tokens, owners


@numba.njit(cache=True)
def _meeting(tokens, owners, starts, by_owner, texts, least):
    """Pairs of texts that have `least[text]` or more tokens in common; `tokens` sorted, `starts` of their groups."""
    counts = np.zeros(texts, np.int32)
    met = np.empty(texts, np.int32)
    pairs, found = np.empty((1024, 2), np.int64), 0
    for text in range(texts):
        n = 0
        for place in range(by_owner[0][text], by_owner[0][text + 1]):
            token = by_owner[1][place]
            for i in range(starts[token], starts[token + 1]):
                other = owners[i]
                if other >= text:
                    break
                if counts[other] == 0:
                    met[n] = other
                    n += 1
                counts[other] += 1
        for i in range(n):
            other = met[i]
            if counts[other] >= min(least[text], least[other]):
                if found == len(pairs):
                    pairs = np.concatenate((pairs, np.empty_like(pairs)))
                pairs[found, 0], pairs[found, 1] = other, text
                found += 1
            counts[other] = 0
    return pairs[:found]


def alike(texts: Sequence[str], chars: int, threshold: float) -> np.ndarray:
    """Pairs (n, 2) of texts whose sets of shingles are at least `threshold` alike, sorted."""
    data, bounds = minhash.packed(texts)
    tokens, owners = _prefixes(data, bounds, chars, threshold, COMMON, np.uint64(COUNTERS - 1))
    order = np.lexsort((owners, tokens))
    tokens, owners = tokens[order], owners[order]
    groups = np.flatnonzero(np.r_[True, tokens[1:] != tokens[:-1]])
    group = np.cumsum(np.r_[False, tokens[1:] != tokens[:-1]])
    by_owner = np.argsort(owners, kind="stable")
    spans = np.searchsorted(owners[by_owner], np.arange(len(texts) + 1))
    least = np.minimum(COMMON, np.ceil(threshold * np.diff(spans)))  # a short text has all its shingles in its prefix
    starts = np.r_[groups, len(tokens)]
    pairs = _meeting(tokens, owners, starts, (spans, group[by_owner]), len(texts), least)
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    return pairs[minhash.similarities(data, bounds, pairs, chars) >= threshold]
