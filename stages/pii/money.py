"""Numbers of accounts and cards, by their checksums."""

import re
from collections.abc import Callable, Iterator

from stages.pii.checksums import luhn

IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,3})?\b")
CARD = re.compile(r"(?<![\w+])\d(?:[ -]?\d){12,18}(?!\w)")
ISSUERS = re.compile(  # ISO/IEC 7812: who issues, and with how many digits
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]|2[2-7])\d{14}|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11,16}|35\d{14,17}"
    r"|6(?:011|4[4-9]|5)\d{10,15}|(?:62|81)\d{14,17}|(?:5[06-9]|6\d)\d{11,17}"
)
COUNTRIES = {  # by the length of their IBANs (SWIFT's registry of ISO 13616)
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
    """The longest run of words from the left of each match that passes; where none does, on from the next word.

    Words around what has a checksum may look like a part of it: a card's expiry, an IBAN's bank code.
    """
    position = 0
    while match := pattern.search(text, position):
        found = match[0]
        while found and not passes(found):
            found = found.rpartition(" ")[0]
        if found:
            yield match.start(), match.start() + len(found)
        position = match.start() + len(found or match[0].partition(" ")[0])


def is_card(text: str) -> bool:
    """13 to 19 digits of an issuer of cards that pass Luhn's check."""
    digits = "".join(c for c in text if c.isdigit())
    return bool(ISSUERS.fullmatch(digits)) and luhn(digits)


def is_iban(text: str) -> bool:
    """As many characters as the country's have, and the mod-97 check (ISO 13616)."""
    compact = text.replace(" ", "").replace("-", "")
    if compact[:2] not in COUNTRIES.get(len(compact), ""):
        return False
    return int("".join(str(int(c, 36)) for c in compact[4:] + compact[:4])) % 97 == 1
