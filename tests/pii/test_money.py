"""Cards have the prefix of an issuer, IBANs the length of their country; test_clean_redaction has the rest."""

import pytest

from stages.pii import money


@pytest.mark.parametrize(
    "number",
    ["4111111111111111", "4222222222222", "5555555555554444", "2223003122003222", "378282246310005", "6011111111111117",
     "30569309025904", "3530111333300000", "6200000000000005", "6759649826438453"],
)  # fmt: skip
def test_test_numbers_of_every_issuer_are_cards(number: str) -> None:
    assert money.is_card(number)
    assert not money.is_card(number[:-1] + str((int(number[-1]) + 1) % 10))


@pytest.mark.parametrize(
    "number",
    [
        "0000000000000000",
        "41 11 11 11 11 11 11 11",
        "4111111 11111 1111",
        "2000000400000",
        "1234567890128",
        "9999999999999995",
        "41111111111111",
    ],
)
def test_a_number_with_a_valid_checksum_but_no_issuer_or_other_groups_is_no_card(number: str) -> None:
    assert not money.is_card(number)


def test_the_fraction_of_a_decimal_is_no_card() -> None:
    assert list(money.cards("916.6666666666666 and 6666666666666")) == [(22, 35)]


def test_a_number_of_another_length_or_no_country_is_no_iban() -> None:
    assert money.is_iban("DE89 3704 0044 0532 0130 00") and money.is_iban("DE89-3704-0044-0532-0130-00")
    assert not money.is_iban("NL89370400440532013000")
    assert not money.is_iban("ZZ" + "80" + "0" * 16)  # passes the check of digits
