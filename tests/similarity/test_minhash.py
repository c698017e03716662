"""Signatures are those of datasketch, for any text."""

import numpy as np
import pytest
from datasketch import MinHash, MinHashLSH
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.similarity import minhash
from stages.similarity.packed_texts import pack
from stages.similarity.shingles import shingles


def murmur3(data: bytes) -> int:
    return int(minhash.murmur3(np.frombuffer(data, np.uint8), 0, len(data)))


def sign(texts: list[str], permutations: int = 128, seed: int = 1) -> np.ndarray:
    signatures = np.empty((len(texts), permutations), np.uint32)
    minhash.sign(*pack(texts), 5, *minhash.permutation_factors(permutations, seed), signatures)
    return signatures


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
    for text, signature in zip(texts, sign(texts, permutations, seed), strict=True):
        reference = MinHash(permutations, seed, hashfunc=murmur3, scheme="affine32")
        for shingle in shingles(text, 5):
            reference.update(shingle.encode("utf-8", "surrogatepass"))
        assert signature.tolist() == reference.hashvalues.tolist()


def test_datasketch_finds_signatures_in_its_index() -> None:
    texts = ["where is the parcel that I ordered last week", "where is the parcel I ordered last week", "a fish"]
    index = MinHashLSH(threshold=0.5, num_perm=128)
    hashes = [MinHash(128, 1, hashvalues=signature, scheme="affine32") for signature in sign(texts)]
    for name, minhash_ in enumerate(hashes):
        index.insert(name, minhash_)

    assert set(index.query(hashes[0])) == {0, 1}
