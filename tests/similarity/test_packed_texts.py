"""Packed texts are the normalised texts as UTF-8, packed once."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stages.similarity.packed_texts import PackedTexts, pack
from stages.similarity.shingles import plain

TEXTS = st.lists(st.text(max_size=20) | st.text("aB \t\n\x1c\x85é", max_size=20), max_size=5)


def unpacked(data: np.ndarray, bounds: np.ndarray) -> list[str]:
    return [data[start:end].tobytes().decode("utf-8", "surrogatepass") for start, end in bounds]


@given(TEXTS)
def test_texts_are_normalised_in_ascii_and_beyond(texts: list[str]) -> None:
    assert unpacked(*pack(texts)) == [plain(text) for text in texts]


def test_texts_are_packed_once_when_they_are_needed() -> None:
    packed = PackedTexts(["A  a", "B", "C"])
    packed.pack(np.array([2]))

    data = packed.data(np.array([[0, 2], [0, 0]]))

    assert unpacked(data, packed.bounds[[0, 2]]) == ["a a", "c"]
    assert (packed.size, packed.bounds[1].tolist()) == (5, [-1, -1])
