"""The language filter drops rows that are surely in another language, and keeps short and uncertain ones."""

from collections import Counter
from pathlib import Path

import pytest

from stages.cleaning import language, rules
from stages.params.cleaning import Languages
from stages.rows.row import Chat, Message, Text, make_row
from tests import made_up_cleaning

ENGLISH = "The parcel has not arrived yet, and I would like to know where it is now."
GERMAN = "Das Paket ist noch nicht angekommen, und ich möchte gerne wissen, wo es jetzt ist."
PARAMS = made_up_cleaning.params(languages=Languages(allowed=["en"], min_letters=20, min_probability=0.8))


def problem(text: str, params=PARAMS) -> tuple[str, str] | None:
    return language.problem(Text(text), params, Path(), Counter())


def test_a_row_in_another_language_is_dropped_and_one_in_an_allowed_language_stays() -> None:
    reason, detail = problem(GERMAN)

    assert reason == "language" and detail.startswith("de (") and detail.endswith("): want en")
    assert problem(ENGLISH) is None


@pytest.mark.parametrize("text", ["Das Paket ist weg", "1234567890 " * 9, "{} " * 20, ""])
def test_a_row_with_few_letters_stays(text: str) -> None:
    assert problem(text) is None


def test_a_row_below_min_probability_stays() -> None:
    mixed = "Paket parcel order Bestellung number Nummer invoice"  # German, says the model, with 0.42
    strict = made_up_cleaning.params(languages=Languages(allowed=["en"], min_letters=20, min_probability=0.3))

    assert problem(mixed) is None
    assert problem(mixed, strict) == ("language", "de (0.42): want en")


def test_json_answers_are_ignored() -> None:
    chat = Chat(
        [Message("user", GERMAN), Message("assistant", '\n{"intent": "where is my parcel, and when does it come"}')]
    )

    assert language.prose(chat) == GERMAN


def test_languages_are_counted() -> None:
    counts: Counter[str] = Counter()
    for text in (GERMAN, ENGLISH, ENGLISH, "no"):
        language.problem(Text(text), PARAMS, Path(), counts)

    assert counts == {"de": 1, "en": 2, "too_short": 1}


def test_languages_are_detected_only_if_params_ask_for_it() -> None:
    content = make_row(Text(GERMAN)).content

    assert rules.optional_drop_reason(content, Path(), made_up_cleaning.PARAMS, Counter()) is None
    assert rules.optional_drop_reason(content, Path(), PARAMS, Counter())[0] == "language"
