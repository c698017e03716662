"""Signatures are datasketch's, and similarities are those of sets, for any text."""

import numpy as np
import pytest
from datasketch import MinHash, MinHashLSH
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.similarity import minhash
from stages.similarity.shingles import jaccard, shingles


def murmur3(data: bytes) -> int:
    return int(minhash.murmur3(np.frombuffer(data, np.uint8), 0, len(data)))


def signatures(texts: list[str], permutations: int = 128, seed: int = 1) -> np.ndarray:
    found = np.empty((len(texts), permutations), np.uint32)
    minhash.sign(*minhash.packed(texts), 5, *minhash.permuted(permutations, seed), found)
    return found


@pytest.mark.parametrize(  # known answers of MurmurHash3_x86_32, seed 0
    ("data", "expected"),
    [
        (b"", 0),
        (b"hello", 0x248BFA47),
        (b"hello, world", 0x149BBB7F),
        (b"The quick brown fox jumps over the lazy dog", 0x2E4FF723),
    ],
)
def test_the_hash_of_shingles_is_murmurhash3(data: bytes, expected: int) -> None:
    assert murmur3(data) == expected


TEXTS = st.text(max_size=40) | st.text("ab äΩ漢😀", max_size=40)


@settings(max_examples=60)
@given(st.lists(TEXTS, min_size=1, max_size=3), st.sampled_from([1, 16, 128]), st.integers(0, 3))
def test_signatures_are_those_of_datasketch(texts: list[str], permutations: int, seed: int) -> None:
    for text, signature in zip(texts, signatures(texts, permutations, seed), strict=True):
        theirs = MinHash(permutations, seed, hashfunc=murmur3, scheme="affine32")
        for shingle in shingles(text, 5):
            theirs.update(shingle.encode("utf-8", "surrogatepass"))
        assert signature.tolist() == theirs.hashvalues.tolist()


def test_datasketch_finds_signatures_in_its_index() -> None:
    texts = ["where is the parcel that I ordered last week", "where is the parcel I ordered last week", "a fish"]
    index = MinHashLSH(threshold=0.5, num_perm=128)
    hashes = [MinHash(128, 1, hashvalues=found, scheme="affine32") for found in signatures(texts)]
    for name, found in enumerate(hashes):
        index.insert(name, found)

    assert set(index.query(hashes[0])) == {0, 1}


@settings(max_examples=100)
@given(st.lists(TEXTS, min_size=2, max_size=5))
def test_similarities_are_those_of_the_sets(texts: list[str]) -> None:
    pairs = np.array([(i, j) for i in range(len(texts)) for j in range(len(texts))], np.int64)

    found = minhash.similarities(*minhash.packed(texts), pairs, 5)

    assert found.tolist() == [jaccard(shingles(texts[i], 5), shingles(texts[j], 5)) for i, j in pairs]


def test_half_a_surrogate_pair_is_a_character_like_any_other() -> None:
    texts = ["abcd\ud800", "abcd\ud801", "abcd\ud800"]

    assert minhash.similarities(*minhash.packed(texts), np.array([(0, 1), (0, 2)]), 5).tolist() == [0, 1]


def test_ids_are_found_where_they_are() -> None:
    names = [f"{i:024x}" for i in range(50)]
    known, wanted = (np.frombuffer("".join(part).encode(), "<u8").reshape(-1, 3) for part in (names[:40], names[::-1]))

    assert minhash.placed(known, wanted).tolist() == [-1] * 10 + list(range(39, -1, -1))
