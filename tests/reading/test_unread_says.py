"""A text that another one repeats is found in it, as whole words."""

import pytest

from stages.reading.unread import says


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("the estate of state", "state", True), ("the estate, states", "state", False), ("a_b", "a", False),
        ("über alles", "ber", False), ("x-y", "y", True), ("no -y", "-y", True), ("no-y", "-y", False),
        ("one\ntwo", " one\ntwo ", True), ("x(a)", "(a)", False), ("", "a", False), ("ab", "b", False),
    ],
)  # fmt: skip
def test_a_text_has_the_words_of_another_as_whole_words(text: str, words: str, expected: bool) -> None:
    assert says(text, words) is expected
