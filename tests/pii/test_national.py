"""National numbers are recognised by pattern, checksum and, where these accept too much, the words before."""

import pytest

from stages import pii
from stages.params.cleaning import Country
from stages.pii import checksums, national

# Examples of authorities and of standards, or made up so that the checksum holds.
VALID = {
    "AU": ["TFN 123 456 782"],
    "BE": ["85.07.30-033.28", "85073003328"],
    "BR": ["529.982.247-25", "CPF 52998224725"],
    "CA": ["046 454 286", "SIN 046454286"],
    "CH": ["756.9217.0769.85", "7569217076985"],
    "CN": ["11010519491231002X"],
    "DE": ["86095742719", "47 036 892 816", "65929970489"],
    "DK": ["070761-4285"],
    "ES": ["12345678Z", "12345678-Z", "X1234567L"],
    "FI": ["131052-308T"],
    "FR": ["255081416802538", "2 55 08 14 168 025 38"],
    "GB": ["AB123456C", "AB 12 34 56 C", "QQ123456C"],
    "IE": ["1234567T"],
    "IN": ["2341 2341 2346", "Aadhaar: 234123412346", "ABCPE1234F"],
    "IT": ["RSSMRA85T10A562S"],
    "NL": ["BSN 111222333"],
    "NO": ["01010750160"],
    "PL": ["44051401359"],
    "PT": ["NIF 123456789"],
    "SE": ["811218-9876", "198112189876"],
    "SG": ["S1234567D"],
    "TR": ["10000000146"],
    "US": ["219-09-9999", "219 09 9999", "SSN: 219099999", "912-70-1234"],
    "ZA": ["8001015009087"],
}
CUES = ("TFN ", "CPF ", "SIN ", "Aadhaar: ", "BSN ", "NIF ", "SSN: ")


def matches(text: str, country: str) -> list[str]:
    return [text[span.start : span.end] for span in pii.find(text, ["national_id"], [country])]


def without_cue(example: str) -> str:
    for cue in CUES:
        example = example.removeprefix(cue)
    return example


@pytest.mark.parametrize(("country", "example"), [(c, e) for c, examples in VALID.items() for e in examples])
def test_a_number_is_found_in_its_country(country: str, example: str) -> None:
    assert matches(f"It is {example}, yes.", country) == [without_cue(example)]
    assert matches(f"It is {example.lower()}.", country) == [without_cue(example).lower()]


@pytest.mark.parametrize("country", [c for c in VALID if c not in ("DK", "GB")])  # which have no check digit
def test_a_number_with_its_last_character_changed_is_not_found(country: str) -> None:
    example = VALID[country][0]
    other = {"US": "000-12-3456"}.get(country) or example[:-1] + (chr(ord(example[-1]) ^ 1))

    assert matches(f"It is {other}.", country) == []


@pytest.mark.parametrize(("country", "example"), [(c, e) for c, es in VALID.items() for e in es if without_cue(e) != e])
def test_a_number_that_needs_a_cue_is_not_found_without_it(country: str, example: str) -> None:
    assert matches(f"It is {without_cue(example)}.", country) == []


@pytest.mark.parametrize(
    "text", ["666-12-3456", "219-00-9999", "219-09-0000", "1219-09-9999", "219-09-99990", "219-09-9999-1"]
)
def test_numbers_that_are_never_issued_or_part_of_longer_ones_are_not_found(text: str) -> None:
    assert matches(f"It is {text}.", "US") == []


def test_only_numbers_of_the_given_countries_are_found() -> None:
    assert matches("219-09-9999", "DE") == []
    assert pii.find("219-09-9999", ["national_id"], []) == []


def test_params_the_table_and_these_tests_have_the_same_countries() -> None:
    assert set(Country.__args__) == set(national.COUNTRIES) == set(VALID)


@pytest.mark.parametrize("digits", ["2363", "123451"])  # of Verhoeff's own paper and of a textbook
def test_verhoeff_detects_every_wrong_digit_and_every_swap(digits: str) -> None:
    assert checksums.verhoeff(digits)
    for i, right in enumerate(digits):
        for wrong in set("0123456789") - {right}:
            assert not checksums.verhoeff(digits[:i] + wrong + digits[i + 1 :])
        if i and digits[i - 1] != right:
            assert not checksums.verhoeff(digits[: i - 1] + right + digits[i - 1] + digits[i + 1 :])
