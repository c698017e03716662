"""Exact Jaccard similarities of packed texts, compiled.

Compiled functions call none of another file: numba's cache on disk compares a function with its own file only.
"""

import numba
import numpy as np

from stages.similarity.packed_texts import Bounds, Bytes

FACTOR = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio, odd
EMPTY = np.uint64(0xFFFFFFFFFFFFFFFF)


def similarities(data: Bytes, bounds: Bounds, pairs: np.ndarray, chars: int) -> np.ndarray:
    """The Jaccard similarity of each pair of texts by their shingles of `chars` characters.

    Args:
        pairs: (n, 2), sorted by the first text, so that each first text is hashed once.
    """
    longest = int((bounds[:, 1] - bounds[:, 0]).max(initial=1))  # bytes: at least as many as shingles
    slots = 2 << (longest - 1).bit_length()  # a power of two: tables are at most half full
    return _similarities(data, bounds, pairs, chars, longest, slots)


@numba.njit(cache=True, nogil=True)
def shingle_hashes(data, start, end, chars, hashes):
    """Writes a hash of 64 bits of every shingle of data[start:end]; returns the number of shingles.

    The hash is a polynomial of the characters, rolled from one shingle to the next. A collision within a pair of texts
    of n shingles has a probability of about n^2 / 2^64.
    """
    leaving = np.uint64(1)
    for _ in range(chars):
        leaving *= FACTOR
    h, n, at, back = np.uint64(0), 0, start, start
    while at < end:
        code, at = _character(data, at)
        h = h * FACTOR + code + np.uint64(1)
        n += 1
        if n > chars:
            code, back = _character(data, back)
            h -= (code + np.uint64(1)) * leaving
        if n >= chars:
            hashes[n - chars] = h
    if n < chars:
        hashes[0] = h ^ np.uint64(n) << np.uint64(56)
    return max(1, n - chars + 1)


@numba.njit(inline="always")
def _character(data, at):
    """The bits of the character that begins at data[at], and where the next one begins."""
    code = np.uint64(data[at])
    length = 1 + (code >= 0xC0) + (code >= 0xE0) + (code >= 0xF0)
    for i in range(1, length):
        code = code << np.uint64(8) | np.uint64(data[at + i])
    return code, at + length


@numba.njit(cache=True, nogil=True)
def _similarities(data, bounds, pairs, chars, longest, slots):
    """`similarities`, with hash tables of open addressing: one of the first text's shingles, one of the second's rest.

    Entries are stamped with the number of their pair, so that no table is cleared from one second text to the next.
    """
    mask = np.uint64(slots - 1)
    table, stamps = np.full(slots, EMPTY), np.zeros(slots, np.int64)
    rest, rest_stamps = np.full(slots, EMPTY), np.zeros(slots, np.int64)
    hashes = np.empty(longest, np.uint64)
    result = np.empty(len(pairs), np.float64)
    first, distinct = -1, 0
    for pair in range(len(pairs)):
        if pairs[pair, 0] != first:
            first, distinct = pairs[pair, 0], 0
            table[:] = EMPTY
            for i in range(shingle_hashes(data, bounds[first, 0], bounds[first, 1], chars, hashes)):
                slot = _slot(hashes[i], mask)
                while table[slot] != EMPTY and table[slot] != hashes[i]:
                    slot = (slot + np.uint64(1)) & mask
                distinct += table[slot] == EMPTY
                table[slot] = hashes[i]
        stamp = pair + 1
        common, only = 0, 0
        second = pairs[pair, 1]
        for i in range(shingle_hashes(data, bounds[second, 0], bounds[second, 1], chars, hashes)):
            h = hashes[i]
            slot = start = _slot(h, mask)
            while table[slot] != EMPTY and table[slot] != h:
                slot = (slot + np.uint64(1)) & mask
            if table[slot] == h:
                common += stamps[slot] != stamp
                stamps[slot] = stamp
                continue
            slot = start
            while rest_stamps[slot] == stamp and rest[slot] != h:
                slot = (slot + np.uint64(1)) & mask
            only += rest_stamps[slot] != stamp
            rest_stamps[slot], rest[slot] = stamp, h
        result[pair] = common / (distinct + only)
    return result


@numba.njit(inline="always")
def _slot(h, mask):
    h *= FACTOR
    return (h ^ h >> np.uint64(32)) & mask
