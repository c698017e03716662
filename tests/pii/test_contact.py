"""Numbers and addresses recognised by the words around them; test_clean_redaction has those recognised by form."""

import pytest

from stages import pii


def matches(text: str, kind: str) -> list[str]:
    return [text[span.start : span.end] for span in pii.find(text, [kind], [])]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Call me on 5551234", "5551234"),
        ("tel: 601 123 456", "601 123 456"),
        ("my phone number is 4155550123.", "4155550123"),
        ("WhatsApp 98765 43210", "98765 43210"),
        ("Mobil 12 34 56 78", "12 34 56 78"),
        ("fax no. 555-0123", "555-0123"),
    ],
)
def test_a_number_after_a_word_such_as_call_is_a_phone_number(text: str, number: str) -> None:
    assert matches(text, "phone") == [number]


@pytest.mark.parametrize(
    "text",
    ["Call me about order 2024000123", "call 12345", "the phone costs 1234567", "dial 01.02.2024", "text 20 000 words",
     "telephone and 5551234", "recall 5551234"],
)  # fmt: skip
def test_other_numbers_stay(text: str) -> None:
    assert matches(text, "phone") == []


@pytest.mark.parametrize(
    "address", ["jo (at) example.org", "jo[at]example[dot]org", "jo.b (AT) mail.example (dot) org"]
)
def test_an_address_that_is_spelt_out_is_found(address: str) -> None:
    assert matches(f"Write to {address}, please (at once).", "email") == [address]


def test_at_in_brackets_alone_is_no_address() -> None:
    assert matches("We met (at) noon, see [at] 5.", "email") == []
