"""Candidate pairs by locality-sensitive hashing of MinHash signatures, compiled.

Texts whose signatures agree in all places of a band share a bucket. Leskovec, Rajaraman, Ullman, "Mining of Massive
Datasets", 3.4. Compiled functions call none of another file: numba's cache on disk compares a function with its own
file only.
"""

import numba
import numpy as np

FACTOR = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio, odd


def pair_codes(pairs: np.ndarray) -> np.ndarray:
    """Each pair (n, 2) as one number, its smaller index first, so that numbers sort as pairs do."""
    return pairs.min(axis=1) << 32 | pairs.max(axis=1)


@numba.njit(inline="always")
def _table_size(n):
    """A power of two of at least 2n slots."""
    size = 2
    while size < 2 * n:
        size *= 2
    return size


@numba.njit(inline="always")
def _key(row, start, width):
    h = np.uint64(width)
    for place in range(start, start + width):
        h = (h ^ np.uint64(row[place % len(row)])) * FACTOR
        h ^= h >> np.uint64(29)
    return h


@numba.njit(inline="always")
def _agree(row, other, min_equal):
    equal = 0
    for p in range(len(row)):
        equal += row[p] == other[p]
    return equal >= min_equal


@numba.njit(cache=True, nogil=True)
def pairs_within(signatures, members, start, width, max_earlier, min_equal):
    """Pairs of members of one bucket whose signatures are equal in `min_equal` places or more.

    A bucket's key is the `width` places from `start` on, going round at the end. A member is compared with at most the
    `max_earlier` last ones before it in its bucket. Returns the pairs (n, 2), and the members of crowded buckets, which
    hold more than that.
    """
    size = _table_size(len(members))
    mask = np.uint64(size - 1)
    slots = np.empty((size, 2), np.int64)  # key, and the last member of its bucket
    slots[:, 1] = -1
    previous = np.empty(len(members), np.int64)  # in the same bucket
    depths = np.zeros(len(members), np.int64)
    pairs, n = np.empty((1024, 2), np.int64), 0
    for i in range(len(members)):
        row = signatures[members[i]]
        key = np.int64(_key(row, start, width))
        slot = np.uint64(key) & mask
        while slots[slot, 1] >= 0 and slots[slot, 0] != key:
            slot = (slot + np.uint64(1)) & mask
        other = slots[slot, 1]
        slots[slot, 0], slots[slot, 1], previous[i] = key, i, other
        if other >= 0:
            depths[i] = depths[other] + 1
        for _ in range(min(max_earlier, depths[i])):
            if _agree(row, signatures[members[other]], min_equal):
                if n == len(pairs):
                    pairs = np.concatenate((pairs, np.empty_like(pairs)))
                pairs[n, 0], pairs[n, 1] = members[other], members[i]
                n += 1
            other = previous[other]
    crowded = depths > max_earlier
    for i in range(len(members) - 1, -1, -1):
        if crowded[i] and previous[i] >= 0:
            crowded[previous[i]] = True
    return pairs[:n], members[crowded]


@numba.njit(cache=True, nogil=True)
def pairs_across(signatures, old, new, bands, width, max_earlier, min_equal):
    """Pairs of an old and a new member that share a bucket in any band, compared as `pairs_within` does.

    Returns the pairs (n, 2), and whether a bucket is crowded; if one is, the pairs are empty.
    """
    size = _table_size(len(new))
    mask = np.uint64(size - 1)
    slots = np.empty((bands, size, 2), np.int64)  # key, and the last new member of its bucket
    slots[:, :, 1] = -1
    previous = np.empty((bands, len(new)), np.int64)
    counts = np.zeros((bands, size), np.int64)
    pairs, n = np.empty((1024, 2), np.int64), 0
    for i in range(len(new)):
        for band in range(bands):
            key = np.int64(_key(signatures[new[i]], band * width, width))
            slot = np.uint64(key) & mask
            while slots[band, slot, 1] >= 0 and slots[band, slot, 0] != key:
                slot = (slot + np.uint64(1)) & mask
            previous[band, i] = slots[band, slot, 1]
            slots[band, slot, 0], slots[band, slot, 1] = key, i
            counts[band, slot] += 1
    for i in range(len(old)):
        row = signatures[old[i]]
        for band in range(bands):
            key = np.int64(_key(row, band * width, width))
            slot = np.uint64(key) & mask
            while slots[band, slot, 1] >= 0 and slots[band, slot, 0] != key:
                slot = (slot + np.uint64(1)) & mask
            other = slots[band, slot, 1]
            if other < 0:
                continue
            counts[band, slot] += 1
            if counts[band, slot] > max_earlier + 1:
                return pairs[:0], True
            while other >= 0:
                if _agree(row, signatures[new[other]], min_equal):
                    if n == len(pairs):
                        pairs = np.concatenate((pairs, np.empty_like(pairs)))
                    pairs[n, 0], pairs[n, 1] = old[i], new[other]
                    n += 1
                other = previous[band, other]
    return pairs[:n], False
