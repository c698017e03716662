"""Words of texts in any script."""

import pytest

from stages.evaluating.words import words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It's 3.5 EUR, a_b!", ["it", "s", "3", "5", "eur", "a", "b"]),
        ("Straße CAFÉ", ["strasse", "café"]),
        ("ＡＢ１", ["ab1"]),
        ("हिन्दी", ["हिन्दी"]),
        ("订单 A1", ["订", "单", "a1"]),
        ("A1订单", ["a1", "订", "单"]),
        ("한국어 단어", ["한국어", "단어"]),
        (" \n-", []),
    ],
)
def test_words_are_runs_of_letters_marks_and_digits(text: str, expected: list[str]) -> None:
    assert words(text) == expected
