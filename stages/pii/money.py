"""Numbers of bank accounts and payment cards, verified by their checksums."""

import re
from collections.abc import Callable, Iterator

from stages.pii.checksums import luhn

IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,3})?\b")
CARD = re.compile(r"(?<![\w+])(?<!\d[.,])\d(?:[ -]?\d){12,18}(?!\w)")
ISSUERS = re.compile(  # ISO/IEC 7812: prefix and number of digits of each issuer
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]|2[2-7])\d{14}|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11,16}|35\d{14,17}"
    r"|6(?:011|4[4-9]|5)\d{10,15}|(?:62|81)\d{14,17}|(?:5[06-9]|6\d)\d{11,17}"
)
COUNTRIES = {  # length of an IBAN -> its countries (SWIFT's registry of ISO 13616)
    15: "NO", 16: "BE", 18: "DK FI FK FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU MN XK", 21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL", 24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST", 26: "IS TR", 27: "BI DJ FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
    29: "BR EG PS QA UA", 30: "JO KW MU YE", 31: "MT SC", 32: "LC", 33: "RU",
}  # fmt: skip


def ibans(text: str) -> Iterator[tuple[int, int]]:
    """International bank account numbers."""
    yield from _longest(text, IBAN, is_iban)


def cards(text: str) -> Iterator[tuple[int, int]]:
    """Numbers of payment cards."""
    yield from _longest(text, CARD, is_card)


def _longest(text: str, pattern: re.Pattern[str], passes: Callable[[str], bool]) -> Iterator[tuple[int, int]]:
    """Spans of the numbers that pass: of each match the longest run of words from its left that does.

    Words next to a number may look like a part of it (a card's expiry, an IBAN's bank code). If no run passes, the
    search goes on from the next word.
    """
    position = 0
    while match := pattern.search(text, position):
        number = match[0]
        while number and not passes(number):
            number = number.rpartition(" ")[0]
        if number:
            yield match.start(), match.start() + len(number)
        position = match.start() + len(number or match[0].partition(" ")[0])


def is_card(text: str) -> bool:
    """True for 13 to 19 digits with the prefix of an issuer and a valid Luhn check digit; groups have 3 to 6."""
    groups = re.split("[ -]", text)
    if len(groups) > 1 and not all(3 <= len(group) <= 6 for group in groups):  # bytes, sums
        return False
    digits = "".join(c for c in text if c.isdigit())
    return bool(ISSUERS.fullmatch(digits)) and luhn(digits)


def is_iban(text: str) -> bool:
    """True for the length of the country's IBANs and a valid mod-97 check (ISO 13616)."""
    compact = text.replace(" ", "").replace("-", "")
    if compact[:2] not in COUNTRIES.get(len(compact), ""):
        return False
    return int("".join(str(int(c, 36)) for c in compact[4:] + compact[:4])) % 97 == 1
