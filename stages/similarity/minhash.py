"""MinHash signatures of packed texts, compiled.

A signature is that of datasketch 2 for its scheme `affine32` over MurmurHash3 (x86, 32 bits, seed 0) of the UTF-8 bytes
of every shingle, so that datasketch's `MinHashLSH` accepts it:

    MinHash(num_perm=permutations, seed=seed, scheme="affine32", hashvalues=signature)

Compiled functions call none of another file: numba's cache on disk compares a function with its own file only.
"""

import numba
import numpy as np

Signatures = np.ndarray  # (texts, permutations) uint32

C1, C2 = np.uint32(0xCC9E2D51), np.uint32(0x1B873593)  # MurmurHash3's names
F1, F2 = np.uint32(0x85EBCA6B), np.uint32(0xC2B2AE35)  # of its finalizer


def permutation_factors(permutations: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The odd factors and the summands of datasketch's permutations for this seed: (permutations,) uint32 each."""
    random = np.random.RandomState(seed)
    factors = random.randint(0, 1 << 31, permutations, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return factors, random.randint(0, 1 << 32, permutations, dtype=np.uint32)


@numba.njit(inline="always")
def _product(x, y):
    return np.uint32(x * y)  # numba widens the product


@numba.njit(inline="always")
def _rotate_left(x, bits):
    return np.uint32(x << np.uint32(bits)) | np.uint32(x >> np.uint32(32 - bits))


@numba.njit(inline="always")
def _finalize(h):
    h = _product(h ^ (h >> np.uint32(16)), F1)
    h = _product(h ^ (h >> np.uint32(13)), F2)
    return np.uint32(h ^ (h >> np.uint32(16)))


@numba.njit(cache=True, nogil=True)
def murmur3(data, start, end):
    """MurmurHash3_x86_32 with seed 0 of data[start:end] (Appleby, public domain)."""
    h = np.uint32(0)
    at = start
    while at + 4 <= end:
        k = np.uint32(data[at]) | np.uint32(data[at + 1]) << np.uint32(8)
        k |= np.uint32(data[at + 2]) << np.uint32(16) | np.uint32(data[at + 3]) << np.uint32(24)
        h ^= _product(_rotate_left(_product(k, C1), 15), C2)
        h = np.uint32(_product(_rotate_left(h, 13), np.uint32(5)) + np.uint32(0xE6546B64))
        at += 4
    k = np.uint32(0)
    for i in range(end - at):
        k |= np.uint32(data[at + i]) << np.uint32(8 * i)
    h ^= _product(_rotate_left(_product(k, C1), 15), C2)
    return _finalize(np.uint32(h ^ np.uint32(end - start)))


@numba.njit(cache=True, nogil=True)
def _character_starts(data, start, end, starts):
    """Writes where each character of data[start:end] begins, and `end`; returns the number of characters."""
    n = 0
    for i in range(start, end):
        if data[i] & 0xC0 != 0x80:  # not a continuation byte
            starts[n] = i
            n += 1
    starts[n] = end
    return n


@numba.njit(cache=True, nogil=True)
def sign(data, bounds, chars, factors, summands, signatures):
    """Writes the signature of every text, over shingles of `chars` characters, into `signatures`."""
    longest = 1
    for text in range(len(bounds)):
        longest = max(longest, bounds[text, 1] - bounds[text, 0])
    starts = np.empty(longest + 1, np.int64)
    permutations = len(factors)
    for text in range(len(bounds)):
        n = _character_starts(data, bounds[text, 0], bounds[text, 1], starts)
        row = signatures[text]
        row[:] = np.uint32(0xFFFFFFFF)
        for i in range(max(1, n - chars + 1)):
            h = _finalize(murmur3(data, starts[i], starts[min(i + chars, n)]))  # datasketch finalizes twice
            for p in range(permutations):
                row[p] = min(row[p], np.uint32(factors[p] * h + summands[p]))
