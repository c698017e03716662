"""Near-duplicates: similarity is exact, and the search finds what comparing all pairs finds."""

import random
import string
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.params.data import Near
from stages.similarity import near
from stages.similarity.memo import SearchMemo
from stages.similarity.shingles import jaccard, shingles

NEAR = Near(threshold=0.85, shingle_chars=5, permutations=128, bands=21, seed=1, threads=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abcdef", {"abcde", "bcdef"}),
        ("aaaaaaaa", {"aaaaa"}),
        ("AB \n c\td ", {"ab c ", "b c d"}),
        ("abcde", {"abcde"}),
        ("Abc", {"abc"}),
        (" \n", {""}),
        ("", {""}),
    ],
)
def test_shingles_are_of_the_lower_cased_text_without_extra_spaces(text: str, expected: set[str]) -> None:
    assert shingles(text, 5) == expected


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("abcdef", "abcdef", 1.0),
        ("abcdefg", "abcdefh", 2 / 4),  # abcde, bcdef of abcde, bcdef, cdefg, cdefh
        ("abcdef", "abcdeg", 1 / 3),
        ("abcde", "abcdefgh", 1 / 4),
        ("abcde", "fghij", 0.0),
        ("abc", "abcd", 0.0),  # each its own shingle
        ("", "", 1.0),
        ("", "a", 0.0),
    ],
)
def test_similarity_is_common_shingles_over_all_shingles(first: str, second: str, expected: float) -> None:
    assert jaccard(shingles(first, 5), shingles(second, 5)) == expected


Pairs = list[tuple[int, int, float]]


def pairs(texts: list[str], params: Near = NEAR, memo: SearchMemo | None = None) -> Pairs:
    similar = near.find_pairs(texts, params, memo)
    return [(int(a), int(b), float(s)) for (a, b), s in zip(similar.pairs, similar.similarities, strict=True)]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([], []),
        (["a"], []),
        (["", "x"], []),
        (["", "x", " "], [(0, 2, 1.0)]),
        (["Yes", "no", "yes ", "YES"], [(0, 2, 1.0), (0, 3, 1.0), (2, 3, 1.0)]),
    ],
)
def test_few_short_and_empty_texts_are_compared_too(texts: list[str], expected: Pairs) -> None:
    assert pairs(texts) == expected


@pytest.mark.parametrize(("threshold", "expected"), [(0.5, [(0, 1, 0.5)]), (0.51, [])])
def test_a_pair_as_similar_as_the_threshold_counts(threshold: float, expected: Pairs) -> None:
    assert pairs(["abcdefg", "abcdefh"], Near(threshold, 5, 128, 128, 1, 1)) == expected


def all_pairs(texts: list[str], threshold: float = NEAR.threshold) -> Pairs:
    sets = [shingles(text, NEAR.shingle_chars) for text in texts]
    compared = [(i, j, jaccard(sets[i], sets[j])) for i, j in combinations(range(len(texts)), 2)]
    return [pair for pair in compared if pair[2] >= threshold]


def families(seed: int, changes: int) -> list[str]:
    """40 random texts of 300 letters, each with two copies of it that have `changes` letters replaced."""
    chance = random.Random(seed)
    texts = []
    for _ in range(40):
        text = "".join(chance.choices(string.ascii_lowercase, k=300))
        copies = [list(text), list(text)]
        for copy in copies:
            for place in chance.sample(range(300), changes):
                copy[place] = "#"
        texts += [text, *map("".join, copies)]
    chance.shuffle(texts)
    return texts


def test_pairs_well_above_the_threshold_are_all_found() -> None:
    texts = families(seed=1, changes=1)  # similarity 0.93 to 0.97: one in 10^8 is missed

    similar = pairs(texts)

    assert len(similar) == 120
    assert similar == all_pairs(texts)


def test_no_pair_below_the_threshold_is_found() -> None:
    texts = families(seed=2, changes=4)  # similarity 0.75 to 0.93, on both sides of the threshold
    expected = all_pairs(texts)

    similar = pairs(texts)

    assert 0 < len(expected) < 120
    assert set(similar) <= set(expected)
    assert len(similar) >= 0.99 * len(expected)  # at 0.85 one in 10^4 is missed


def test_the_pairs_do_not_depend_on_the_number_of_threads() -> None:
    texts = families(seed=3, changes=4)

    assert pairs(texts, NEAR) == pairs(texts, Near(0.85, 5, 128, 21, 1, 3)) == sorted(pairs(texts))


def template(count: int, seed: int = 4) -> list[str]:
    """Texts with a long beginning in common that crowd buckets but are no near-duplicates; then a near copy of one."""
    chance = random.Random(seed)
    shared = "".join(chance.choices(string.ascii_lowercase, k=600))
    texts = [shared + "".join(chance.choices(string.ascii_lowercase, k=250)) for _ in range(count)]
    return [*texts, texts[count // 2][:-2] + "#."]


def test_a_copy_among_many_texts_of_one_template_is_found() -> None:
    texts = template(800)  # similarity 0.55: 1 in 40 pairs shares a bucket of a band

    similar = pairs(texts)

    assert similar == [(400, 800, jaccard(shingles(texts[400], 5), shingles(texts[800], 5)))]


def test_of_many_equal_texts_each_has_a_pair_without_comparing_all_pairs() -> None:
    similar = near.find_pairs(["the very same"] * 500, NEAR)

    assert set(similar.pairs[:, 1].tolist()) == set(range(1, 500))
    assert len(similar.pairs) < 500 * 33 * 4  # of 124,750


SHORT = st.lists(st.text("ab ", max_size=12), max_size=8)


@settings(max_examples=60)
@given(SHORT)
def test_short_texts_are_paired_only_if_similar_and_always_if_equal(texts: list[str]) -> None:
    expected = all_pairs(texts)

    similar = pairs(texts)

    assert set(similar) <= set(expected)
    assert {pair for pair in expected if pair[2] == 1} <= set(similar)
