"""Near-duplicates: MinHash LSH finds candidate pairs, exact Jaccard similarity decides.

MinHash: Broder 1997, "On the resemblance and containment of documents". Bands: Leskovec, Rajaraman, Ullman, "Mining of
Massive Datasets", 3.4. Where many texts share a bucket (a template, a long system prompt), the next bands extend its
key, as in Bawa et al. 2005, "LSH Forest".
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from stages.params.data import Near
from stages.similarity import jaccard, lsh, minhash
from stages.similarity.memo import SearchMemo
from stages.similarity.packed_texts import PackedTexts, batches

MAX_EARLIER = 32  # texts of a bucket that a text is compared with, those last before it
MAX_DEPTH = 4  # bands in the key of a crowded bucket
DEVIATIONS = 5  # below the threshold, at which an estimate still counts: 1 in 3.5 million is farther off


class SimilarPairs(NamedTuple):
    """Pairs of texts, sorted."""

    pairs: np.ndarray  # (n, 2) int64: indices of texts, the smaller one first
    similarities: np.ndarray  # (n,) Jaccard, in [threshold, 1]


def find_pairs(texts: Sequence[str], params: Near, memo: SearchMemo | None = None) -> SimilarPairs:
    """Pairs of texts with a Jaccard similarity of at least `params.threshold`.

    Precision is 1. Recall is that of the bands: a pair of similarity s is compared with probability 1 - (1 - s^r)^b,
    for b bands of r places. A memo saves work and does not change the result. `texts` may load them on access: each is
    read once. Memory: four bytes a permutation and some 100 more, a text.
    """
    packed = PackedTexts(texts)
    signatures = sign(packed, params, memo)
    pairs, crowded = _candidates(signatures, params, memo)
    similarities = np.full(len(pairs), np.nan)
    if memo:
        memo.fill_similarities(pairs, similarities)
    new = np.isnan(similarities)
    similarities[new] = compare(packed, pairs[new], params)
    if memo:
        memo.save(signatures, pairs, similarities, crowded)
    similar = similarities >= params.threshold
    return SimilarPairs(pairs[similar], similarities[similar])


def sign(packed: PackedTexts, params: Near, memo: SearchMemo | None = None) -> minhash.Signatures:
    """The MinHash signature of every text, (texts, permutations) uint32; those in the memo are copied from it."""
    signatures = np.empty((len(packed), params.permutations), np.uint32)
    if memo:
        memo.fill_signatures(signatures)
    factors, summands = minhash.permutation_factors(params.permutations, params.seed)

    def sign_batch(batch: np.ndarray) -> None:
        data, bounds = packed.pack(batch)
        part = np.empty((len(batch), params.permutations), np.uint32)
        minhash.sign(data, bounds, params.shingle_chars, factors, summands, part)
        signatures[batch] = part

    with ThreadPoolExecutor(params.threads) as pool:
        list(pool.map(sign_batch, batches(memo.new if memo else np.arange(len(packed)))))
    return signatures


def compare(packed: PackedTexts, pairs: np.ndarray, params: Near) -> np.ndarray:
    """The exact Jaccard similarity of each of `pairs` (n, 2)."""
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    similarities = np.empty(len(pairs))
    data = packed.data(pairs)
    similarities[order] = jaccard.similarities(data, packed.bounds, pairs[order], params.shingle_chars)
    return similarities


def _candidates(signatures: minhash.Signatures, params: Near, memo: SearchMemo | None) -> tuple[np.ndarray, bool]:
    """Pairs (n, 2) that share a bucket and whose estimate is near the threshold, sorted; whether a bucket is crowded.

    As long as none is, new texts do not change which old ones are paired: only pairs with a new text are looked for.
    """
    deviation = (params.threshold * (1 - params.threshold) / params.permutations) ** 0.5
    min_equal = max(0, int(np.ceil((params.threshold - DEVIATIONS * deviation) * params.permutations)))
    if memo and not memo.crowded:
        width = params.permutations // params.bands
        across, crowded = lsh.pairs_across(signatures, memo.old, memo.new, params.bands, width, MAX_EARLIER, min_equal)
        if not crowded:
            return _sorted([memo.pairs()[0], across, _pairs_within(signatures, memo.new, params, min_equal)[0]]), False
    pairs, crowded = _pairs_within(signatures, np.arange(len(signatures)), params, min_equal)
    return _sorted([pairs]), crowded


def _pairs_within(
    signatures: minhash.Signatures, members: np.ndarray, params: Near, min_equal: int
) -> tuple[np.ndarray, bool]:
    """Pairs (n, 2) of members that share a bucket, with repeats; whether a bucket was crowded and its key extended."""
    width, pairs, crowded = params.permutations // params.bands, [np.empty((0, 2), np.int64)], False
    for band in range(params.bands):
        rest = members
        for depth in range(1, MAX_DEPTH + 1):
            more, rest = lsh.pairs_within(signatures, rest, band * width, depth * width, MAX_EARLIER, min_equal)
            pairs.append(more)
            if not len(rest):
                break
            crowded = True
    return np.concatenate(pairs), crowded


def _sorted(pairs: list[np.ndarray]) -> np.ndarray:
    codes = np.unique(lsh.pair_codes(np.concatenate(pairs)))
    return np.stack([codes >> 32, codes & 0xFFFFFFFF], axis=1)
