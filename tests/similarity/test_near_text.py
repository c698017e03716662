"""Signatures estimate what the exact similarity is; parameters say what is near."""

import random

import numpy as np
import pytest

from stages.similarity import near_text
from stages.similarity.shingles import jaccard, shingles


def text(seed: int, words: int = 80) -> list[str]:
    return random.Random(seed).choices(
        ["".join(random.Random(n).choices("abcdefgh", k=6)) for n in range(500)], k=words
    )


@pytest.mark.parametrize("changed", [0, 1, 4, 10, 40])
def test_signatures_agree_as_often_as_texts_are_alike(changed: int) -> None:
    errors = []
    for seed in range(40):
        words, other = text(seed), text(seed)
        for place in random.Random(seed).sample(range(len(words)), changed):
            other[place] = f"changed{place}"
        a, b = " ".join(words), " ".join(other)
        same = np.mean(np.equal(*near_text.signatures([a, b], 5)))
        exact = jaccard(shingles(a, 5), shingles(b, 5))
        errors.append(same - (exact + (1 - exact) / 256))  # one byte in 256 agrees by chance

    assert abs(np.mean(errors)) < 0.02
    assert max(map(abs, errors)) <= 4 * (0.25 / near_text.PERMUTATIONS) ** 0.5


def test_case_spaces_and_length_do_not_spoil_a_signature() -> None:
    a, b, *_ = near_text.signatures(["The  Kettle\nleaks", "the kettle leaks", "", "ab", "long " * 100_000], 5)

    assert (a == b).all()


def test_the_widest_parameters_of_a_build_say_what_is_near() -> None:
    assert list(near_text._criteria({"dedup": {"near": {"threshold": 0.9, "shingle_chars": 7}}, "split": {"seed": 1}})) == [
        near_text.Near(0.9, 7)
    ]
    assert near_text.criterion([]) == near_text.EQUAL


def test_names_in_a_row_are_no_text() -> None:
    pair = {
        "kind": "pair",
        "prompt": [{"role": "user", "content": "Q"}],
        "chosen": [{"role": "assistant", "content": "A"}],
        "rejected": [{"role": "assistant", "content": "B"}],
    }

    assert near_text.text(pair) == "Q\nA\nB"
