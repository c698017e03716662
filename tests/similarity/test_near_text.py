"""Signatures estimate the exact similarity, and the parameters of a build are its criterion."""

import random

import numpy as np
import pytest

from stages.similarity import near_text
from stages.similarity.near_text import EQUAL, Near
from stages.similarity.shingles import jaccard, shingles

VOCABULARY = ["".join(random.Random(n).choices("abcdefgh", k=6)) for n in range(500)]


def words(seed: int, count: int = 80) -> list[str]:
    return random.Random(seed).choices(VOCABULARY, k=count)


@pytest.mark.parametrize("changed", [0, 1, 4, 10, 40])
def test_signatures_agree_as_often_as_texts_are_similar(changed: int) -> None:
    errors = []
    for seed in range(40):
        first, second = words(seed), words(seed)
        for place in random.Random(seed).sample(range(len(first)), changed):
            second[place] = f"changed{place}"
        a, b = " ".join(first), " ".join(second)
        estimate = np.mean(np.equal(*near_text.signatures([a, b], 5)))
        exact = jaccard(shingles(a, 5), shingles(b, 5))
        errors.append(estimate - (exact + (1 - exact) / 256))  # one byte in 256 agrees by chance

    assert abs(np.mean(errors)) < 0.02
    assert max(map(abs, errors)) <= 4 * (0.25 / near_text.PERMUTATIONS) ** 0.5


def test_case_and_white_space_do_not_change_a_signature() -> None:
    a, b = near_text.signatures(["The  Kettle\nleaks", "the kettle leaks"], 5)

    assert (a == b).all()


def test_texts_of_every_length_and_lone_surrogates_have_a_signature() -> None:
    assert near_text.signatures(["", "ab", "long " * 100_000, "\ud800"], 5).shape == (4, near_text.PERMUTATIONS)


def test_criteria_are_found_at_any_depth_of_the_parameters() -> None:
    near = {"threshold": 0.9, "shingle_chars": 7}
    parameters = {"params.yaml": {"dedup": {"near": near, "semantic": {"threshold": 0.5}}, "split": {"seed": 1}}}

    assert near_text.criteria(parameters) == {Near(0.9, 7)}
    assert near_text.criteria({"split": near}) == {Near(0.9, 7)}
    assert near_text.criteria(None) == set()


def test_the_loosest_criterion_has_the_lowest_threshold() -> None:
    assert near_text.loosest([Near(0.9, 7), Near(0.8, 9)]) == Near(0.8, 9)
    assert near_text.loosest([]) == EQUAL


def test_the_text_of_a_row_has_no_names_of_roles_and_kinds() -> None:
    pair = {
        "kind": "pair",
        "prompt": [{"role": "user", "content": "Q"}],
        "chosen": [{"role": "assistant", "content": "A"}],
        "rejected": [{"role": "assistant", "content": "B"}],
        "score": 5,
    }

    assert near_text.text(pair) == "Q\nA\nB"
