"""Compiled similarities are those of the sets of shingles, for any text."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.similarity import jaccard
from stages.similarity.packed_texts import pack
from stages.similarity.shingles import jaccard as jaccard_of_sets
from stages.similarity.shingles import shingles

TEXTS = st.text(max_size=40) | st.text("ab äΩ漢😀", max_size=40)


@settings(max_examples=100)
@given(st.lists(TEXTS, min_size=2, max_size=5))
def test_similarities_are_those_of_the_sets_of_shingles(texts: list[str]) -> None:
    pairs = np.array([(i, j) for i in range(len(texts)) for j in range(len(texts))], np.int64)

    similarities = jaccard.similarities(*pack(texts), pairs, 5)

    expected = [jaccard_of_sets(shingles(texts[i], 5), shingles(texts[j], 5)) for i, j in pairs]
    assert similarities.tolist() == expected


def test_half_a_surrogate_pair_is_a_character_like_any_other() -> None:
    texts = ["abcd\ud800", "abcd\ud801", "abcd\ud800"]

    assert jaccard.similarities(*pack(texts), np.array([(0, 1), (0, 2)]), 5).tolist() == [0, 1]
