"""Near-duplicates: MinHash LSH finds candidates (datasketch), exact Jaccard similarity decides.

MinHash: Broder 1997, "On the resemblance and containment of documents".
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from modelmake.shingles import jaccard, shingles
from stages.params.data import Near


class Similar(NamedTuple):
    first: int  # index of a text
    second: int  # of another, first < second
    similarity: float  # Jaccard, in [threshold, 1]


def pairs(texts: Sequence[str], near: Near) -> list[Similar]:
    """Pairs of texts at least `near.threshold` alike, sorted; precision is 1, recall is the banding's.

    The chance that a pair of similarity s is looked at is 1 - (1 - s^r)^b, with b bands of r rows.
    """
    sets = [shingles(text, near.shingle_chars) for text in texts]
    found = []
    for first, second in sorted(set(_candidates(sets, near))):
        alike = jaccard(sets[first], sets[second])
        if alike >= near.threshold:
            found.append(Similar(first, second, alike))
    return found


def clusters(n: int, similar: Sequence[Similar]) -> list[int]:
    """For each of n texts the smallest index that it is connected to."""
    parent = list(range(n))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for first, second, _ in similar:
        a, b = root(first), root(second)
        parent[max(a, b)] = min(a, b)
    return [root(i) for i in range(n)]


def _candidates(sets: Sequence[frozenset[str]], near: Near) -> Iterator[tuple[int, int]]:
    """Pairs that share a band of their signatures."""
    from datasketch import MinHash

    encoded = [[s.encode() for s in sorted(found)] for found in sets]
    signatures = MinHash.bulk(encoded, num_perm=near.permutations, seed=near.seed)
    width = near.permutations // near.bands
    for band in range(near.bands):
        buckets: dict[bytes, list[int]] = {}
        for index, signature in enumerate(signatures):
            key = signature.hashvalues[band * width : (band + 1) * width].tobytes()
            bucket = buckets.setdefault(key, [])
            yield from ((other, index) for other in bucket)
            bucket.append(index)
