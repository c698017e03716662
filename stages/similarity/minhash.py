"""MinHash signatures and exact similarities of texts, compiled: the inner loops of the search for near-duplicates.

A signature is what datasketch 2 computes by its scheme `affine32` from MurmurHash3 (x86, 32 bits, seed 0) of the UTF-8
bytes of every shingle, so that its `MinHashLSH` accepts it:

    MinHash(num_perm=permutations, seed=seed, scheme="affine32", hashvalues=signature)

Texts are one array of bytes, text i from bounds[i, 0] to bounds[i, 1]: `plain` ones (`stages.similarity.shingles`), in UTF-8.
Half a surrogate pair, which UTF-8 cannot spell, takes three bytes as any of its neighbours would (`surrogatepass`).
"""

from collections.abc import Sequence

import numba
import numpy as np

from stages.similarity.shingles import plain

Bytes = np.ndarray  # (bytes,) uint8
Bounds = np.ndarray  # (texts, 2) int64
Signatures = np.ndarray  # (texts, permutations) uint32

M1, M2 = np.uint32(0xCC9E2D51), np.uint32(0x1B873593)  # MurmurHash3's
F1, F2 = np.uint32(0x85EBCA6B), np.uint32(0xC2B2AE35)  # of its finalizer
ODD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio
EMPTY = np.uint64(0xFFFFFFFFFFFFFFFF)


def packed(texts: Sequence[str]) -> tuple[Bytes, Bounds]:
    """The texts, made plain, one after another."""
    encoded = [t.encode() if t.isascii() else plain(t).encode("utf-8", "surrogatepass") for t in texts]
    ends = np.cumsum([len(e) for e in encoded], dtype=np.int64)
    bounds = np.stack([np.r_[0, ends[:-1]], ends], axis=1) if encoded else np.empty((0, 2), np.int64)
    data = np.frombuffer(bytearray().join(encoded), np.uint8)
    _make_plain(data, bounds, np.array([text.isascii() for text in texts], bool))
    return data, bounds


@numba.njit(cache=True, nogil=True)
def _make_plain(data, bounds, chosen):
    """What `plain` does, in place, to ASCII: lower case, white space as single spaces, none around."""
    for text in range(len(bounds)):
        if not chosen[text]:
            continue
        written, space = bounds[text, 0], False
        for at in range(bounds[text, 0], bounds[text, 1]):
            c = data[at]
            if c == 32 or 9 <= c <= 13 or 28 <= c <= 31:
                space = written > bounds[text, 0]
                continue
            if space:
                data[written] = 32
                written, space = written + 1, False
            data[written] = c + 32 if 65 <= c <= 90 else c
            written += 1
        bounds[text, 1] = written


def coded(pairs: np.ndarray) -> np.ndarray:
    """Each pair (n, 2) as one number, the smaller index first: such numbers sort as the pairs do."""
    return pairs.min(axis=1) << 32 | pairs.max(axis=1)


def permuted(permutations: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The factors, odd, and the summands of datasketch's permutations for this seed: (permutations,) uint32 each."""
    chance = np.random.RandomState(seed)
    factors = chance.randint(0, 1 << 31, permutations, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return factors, chance.randint(0, 1 << 32, permutations, dtype=np.uint32)


@numba.njit(inline="always")
def _times(x, y):
    return np.uint32(x * y)  # numba widens


@numba.njit(inline="always")
def _rotated(x, by):
    return np.uint32(x << np.uint32(by)) | np.uint32(x >> np.uint32(32 - by))


@numba.njit(inline="always")
def _finalized(h):
    h = _times(h ^ (h >> np.uint32(16)), F1)
    h = _times(h ^ (h >> np.uint32(13)), F2)
    return np.uint32(h ^ (h >> np.uint32(16)))


@numba.njit(cache=True, nogil=True)
def murmur3(data, start, end):
    """MurmurHash3_x86_32 with seed 0 of data[start:end] (Appleby, public domain)."""
    h = np.uint32(0)
    at = start
    while at + 4 <= end:
        k = np.uint32(data[at]) | np.uint32(data[at + 1]) << np.uint32(8)
        k |= np.uint32(data[at + 2]) << np.uint32(16) | np.uint32(data[at + 3]) << np.uint32(24)
        h ^= _times(_rotated(_times(k, M1), 15), M2)
        h = np.uint32(_times(_rotated(h, 13), np.uint32(5)) + np.uint32(0xE6546B64))
        at += 4
    k = np.uint32(0)
    for i in range(end - at):
        k |= np.uint32(data[at + i]) << np.uint32(8 * i)
    h ^= _times(_rotated(_times(k, M1), 15), M2)
    return _finalized(np.uint32(h ^ np.uint32(end - start)))


@numba.njit(cache=True, nogil=True)
def starts(data, start, end, found):
    """Writes where each character of data[start:end] begins, and `end`; returns how many there are."""
    n = 0
    for i in range(start, end):
        if data[i] & 0xC0 != 0x80:  # no byte that goes on
            found[n] = i
            n += 1
    found[n] = end
    return n


@numba.njit(cache=True, nogil=True)
def sign(data, bounds, chars, factors, summands, signatures):
    """Writes the signature of every text, by shingles of `chars` characters."""
    at = np.empty(_longest(bounds) + 1, np.int64)
    permutations = len(factors)
    for text in range(len(bounds)):
        n = starts(data, bounds[text, 0], bounds[text, 1], at)
        row = signatures[text]
        row[:] = np.uint32(0xFFFFFFFF)
        for i in range(max(1, n - chars + 1)):
            h = _finalized(murmur3(data, at[i], at[min(i + chars, n)]))  # datasketch mixes once more
            for p in range(permutations):
                row[p] = min(row[p], np.uint32(factors[p] * h + summands[p]))


@numba.njit(inline="always")
def _longest(bounds):
    longest = 1
    for text in range(len(bounds)):
        longest = max(longest, bounds[text, 1] - bounds[text, 0])
    return longest


@numba.njit(cache=True, nogil=True)
def hashes(data, start, end, chars, found):
    """Writes 64 bits of every shingle of data[start:end]; returns how many.

    They are a polynomial of its characters, rolled on from one to the next: two shingles of one pair of texts have the
    same in one of 2^64 over the square of their number cases.
    """
    leaving = np.uint64(1)
    for _ in range(chars):
        leaving *= ODD
    h, n, at, back = np.uint64(0), 0, start, start
    while at < end:
        code, at = _character(data, at)
        h = h * ODD + code + np.uint64(1)
        n += 1
        if n > chars:
            code, back = _character(data, back)
            h -= (code + np.uint64(1)) * leaving
        if n >= chars:
            found[n - chars] = h
    if n < chars:
        found[0] = h ^ np.uint64(n) << np.uint64(56)
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
def similarities(data, bounds, pairs, chars):
    """The Jaccard similarity of each of `pairs` (n, 2), those of one first text together: it is hashed once."""
    longest = _longest(bounds)
    mask = np.uint64(_size(longest) - 1)
    table, stamps = np.full(int(mask) + 1, EMPTY), np.zeros(int(mask) + 1, np.int64)
    others, marks = np.full(int(mask) + 1, EMPTY), np.zeros(int(mask) + 1, np.int64)
    found = np.empty(longest, np.uint64)
    result = np.empty(len(pairs), np.float64)
    before, held = -1, 0
    for pair in range(len(pairs)):
        if pairs[pair, 0] != before:
            before, held = pairs[pair, 0], 0
            table[:] = EMPTY
            for i in range(hashes(data, bounds[before, 0], bounds[before, 1], chars, found)):
                slot = _slot(found[i], mask)
                while table[slot] != EMPTY and table[slot] != found[i]:
                    slot = (slot + np.uint64(1)) & mask
                held += table[slot] == EMPTY
                table[slot] = found[i]
        stamp = pair + 1  # nothing needs to be cleared
        common, only = 0, 0
        second = pairs[pair, 1]
        for i in range(hashes(data, bounds[second, 0], bounds[second, 1], chars, found)):
            h = found[i]
            slot = first = _slot(h, mask)
            while table[slot] != EMPTY and table[slot] != h:
                slot = (slot + np.uint64(1)) & mask
            if table[slot] == h:
                common += stamps[slot] != stamp
                stamps[slot] = stamp
                continue
            slot = first
            while marks[slot] == stamp and others[slot] != h:
                slot = (slot + np.uint64(1)) & mask
            only += marks[slot] != stamp
            marks[slot], others[slot] = stamp, h
        result[pair] = common / (held + only)
    return result


@numba.njit(inline="always")
def _slot(h, mask):
    h *= ODD
    return (h ^ h >> np.uint64(32)) & mask


@numba.njit(inline="always")
def _size(n):
    size = 2
    while size < 2 * n:
        size *= 2
    return size


@numba.njit(inline="always")
def _key(row, first, width):
    h = np.uint64(width)
    for place in range(first, first + width):
        h = (h ^ np.uint64(row[place % len(row)])) * ODD
        h ^= h >> np.uint64(29)
    return h


@numba.njit(inline="always")
def _agree(row, other, least):
    same = 0
    for p in range(len(row)):
        same += row[p] == other[p]
    return same >= least


@numba.njit(cache=True, nogil=True)
def candidates(signatures, members, first, width, nearest, least):
    """Pairs of members that have a key in common and whose signatures agree in `least` places or more.

    The key is of `width` places from `first` on, and around the end. A member is held against the `nearest` ones before
    it that have its key. Returns (pairs, 2), and the members of keys that more than those have.
    """
    size = _size(len(members))
    mask = np.uint64(size - 1)
    slots = np.empty((size, 2), np.int64)  # key, and the last member that has it
    slots[:, 1] = -1
    before = np.empty(len(members), np.int64)
    depths = np.zeros(len(members), np.int64)
    pairs, found = np.empty((1024, 2), np.int64), 0
    for i in range(len(members)):
        row = signatures[members[i]]
        key = np.int64(_key(row, first, width))
        slot = np.uint64(key) & mask
        while slots[slot, 1] >= 0 and slots[slot, 0] != key:
            slot = (slot + np.uint64(1)) & mask
        other = slots[slot, 1]
        slots[slot, 0], slots[slot, 1], before[i] = key, i, other
        if other >= 0:
            depths[i] = depths[other] + 1
        for _ in range(min(nearest, depths[i])):
            if _agree(row, signatures[members[other]], least):
                if found == len(pairs):
                    pairs = np.concatenate((pairs, np.empty_like(pairs)))
                pairs[found, 0], pairs[found, 1] = members[other], members[i]
                found += 1
            other = before[other]
    crowded = depths > nearest
    for i in range(len(members) - 1, -1, -1):
        if crowded[i] and before[i] >= 0:
            crowded[before[i]] = True
    return pairs[:found], members[crowded]


@numba.njit(cache=True, nogil=True)
def joined(signatures, old, new, bands, width, nearest, least):
    """Pairs of an old and a new member as `candidates` finds them in so many bands, and whether a key has too many."""
    size = _size(len(new))
    mask = np.uint64(size - 1)
    slots = np.empty((bands, size, 2), np.int64)
    slots[:, :, 1] = -1
    before = np.empty((bands, len(new)), np.int64)
    counts = np.zeros((bands, size), np.int64)
    pairs, found = np.empty((1024, 2), np.int64), 0
    for i in range(len(new)):
        for band in range(bands):
            key = np.int64(_key(signatures[new[i]], band * width, width))
            slot = np.uint64(key) & mask
            while slots[band, slot, 1] >= 0 and slots[band, slot, 0] != key:
                slot = (slot + np.uint64(1)) & mask
            before[band, i] = slots[band, slot, 1]
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
            if counts[band, slot] > nearest + 1:
                return pairs[:0], True
            while other >= 0:
                if _agree(row, signatures[new[other]], least):
                    if found == len(pairs):
                        pairs = np.concatenate((pairs, np.empty_like(pairs)))
                    pairs[found, 0], pairs[found, 1] = old[i], new[other]
                    found += 1
                other = before[band, other]
    return pairs[:found], False


@numba.njit(inline="always")
def _mixed(a, b, c):
    h = a * ODD
    h = (h ^ h >> np.uint64(32) ^ b) * ODD
    h = (h ^ h >> np.uint64(32) ^ c) * ODD
    return h ^ h >> np.uint64(32)


@numba.njit(cache=True, nogil=True)
def take(known, places, result):
    """Writes known[places[i]] into result[i] where there is such a place."""
    for i in range(len(places)):
        if places[i] >= 0:
            result[i] = known[places[i]]


@numba.njit(cache=True, nogil=True)
def placed(known, wanted):
    """Where each of `wanted` (n, 3) uint64 is in `known`, whose rows differ; -1 where it is not."""
    mask = np.uint64(_size(len(known)) - 1)
    slots = np.full(int(mask) + 1, -1, np.int64)
    for i in range(len(known)):
        slot = _mixed(known[i, 0], known[i, 1], known[i, 2]) & mask
        while slots[slot] >= 0:
            slot = (slot + np.uint64(1)) & mask
        slots[slot] = i
    result = np.full(len(wanted), -1, np.int64)
    for i in range(len(wanted)):
        a, b, c = wanted[i]
        slot = _mixed(a, b, c) & mask
        while slots[slot] >= 0:
            at = slots[slot]
            if known[at, 0] == a and known[at, 1] == b and known[at, 2] == c:
                result[i] = at
                break
            slot = (slot + np.uint64(1)) & mask
    return result
