"""Planted defects: personal data, mojibake, typos, over-long messages and broken lines.

Personal data is fictional: reserved domains, phone numbers for fiction, test banks and test cards.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from random import Random

import ftfy
import phrases
from compose import Row, fill
from ftfy.badness import is_bad
from novelty import Novelty, chat_text, jaccard, shingles

PHONE_SHAPES = (
    "+44 20 7946 0{}",
    "020 7946 0{}",
    "+44 7700 900{}",
    "07700-900-{}",
    "+49 30 23125 {}",
    "030-23125-{}",
    "+1 202-555-0{}",
    "415-555-0{}",
    "+1 303 555 0{}",
)
# (country, unassigned bank code, number of digits after it)
IBAN_SHAPES = (("GB", "TEST", 14), ("NL", "TEST", 10), ("IE", "TEST", 14), ("DE", "99999999", 10))
NEAR_LOW, NEAR_HIGH = 0.87, 0.99  # Jaccard similarity to the original
OVER_LONG_CHARS = 4000


def make_email(rng: Random) -> str:
    name, surname = rng.choice(phrases.PII_NAMES), rng.choice(phrases.PII_SURNAMES)
    user = rng.choice((f"{name}.{surname}", f"{name}{rng.randrange(10, 99)}", f"{name}_{surname}"))
    return f"{user}@{rng.choice(('example.com', 'example.org', 'mail.example.net'))}"


def make_phone(rng: Random) -> str:
    """A number of the ranges that Ofcom, NANPA and BNetzA reserve for fiction."""
    return rng.choice(PHONE_SHAPES).format(f"1{rng.randrange(100):02d}")


def make_iban(rng: Random) -> str:
    """An IBAN with valid check digits (ISO 7064, MOD 97-10), in groups of four or without spaces."""
    country, bank, digits = rng.choice(IBAN_SHAPES)
    account = bank + "".join(rng.choice("0123456789") for _ in range(digits))
    number = int("".join(str(int(char, 36)) for char in f"{account}{country}00"))
    iban = f"{country}{98 - number % 97:02d}{account}"
    return iban if rng.random() < 0.4 else " ".join(iban[i : i + 4] for i in range(0, len(iban), 4))


def make_card(rng: Random) -> str:
    """A card number of a test prefix with a valid check digit (Luhn)."""
    digits = rng.choice(("400000", "411111", "555555")) + "".join(rng.choice("0123456789") for _ in range(9))
    doubled = (int(digit) * (2 if i % 2 == 0 else 1) for i, digit in enumerate(digits))
    check = -sum(value - 9 if value > 9 else value for value in doubled) % 10
    groups = [f"{digits}{check}"[i : i + 4] for i in range(0, 16, 4)]
    return rng.choice((" ", "-", "")).join(groups)


PII_MAKERS: dict[str, Callable[[Random], str]] = {
    "pii_email": make_email,
    "pii_phone": make_phone,
    "pii_iban": make_iban,
    "pii_card": make_card,
}


def with_pii(rng: Random, kind: str, make: Callable[[str], Row]) -> Row:
    """A row with a sentence that has personal data of a kind; `make` makes a row with a given sentence."""
    value = PII_MAKERS[kind](rng)
    sentence = fill(rng, rng.choice(phrases.PII_SENTENCES[kind.removeprefix("pii_")]), value=value)
    return replace(make(sentence), kind=kind, pii=value)


def with_mojibake(rng: Random, make: Callable[[str], Row]) -> Row:
    """A row whose UTF-8 was decoded as cp1252 or latin-1; drawn again until ftfy can repair it."""
    while True:
        town = rng.choice(phrases.MOJIBAKE_TOWNS)
        row = make(fill(rng, rng.choice(phrases.MOJIBAKE_SENTENCES), accent=town))
        garbled = row.message.encode().decode(rng.choice(("cp1252", "latin-1")))
        if is_bad(garbled) and ftfy.fix_text(garbled) == ftfy.fix_text(row.message):
            return replace(row, message=garbled, kind="mojibake")


def plant_sentence(rng: Random, kind: str, make: Callable[[str], Row]) -> Row:
    """A row with a defect of SPREAD_DEFECTS in one sentence; `make` makes a row with a given sentence."""
    return with_mojibake(rng, make) if kind == "mojibake" else with_pii(rng, kind, make)


def typo(rng: Random, original: Row) -> Row:
    """A copy with one typo or changed mark. The product name stays, so the answer is still right."""
    message = original.message
    words = [m for m in re.finditer(r"[a-z]{5,}", message) if m[0] != original.product]
    word = rng.choice(words)
    at = rng.randrange(word.start() + 1, word.end() - 1)
    message = rng.choice((
        message[:at] + message[at + 1] + message[at] + message[at + 2 :],
        message[:at] + message[at + 1 :],
        message[:at] + message[at] + message[at:],
        message[:-1] + rng.choice(("!!", "...", " :)")) if message[-1] in ".!?" else message + ".",
        message.replace(", ", " ", 1),
    ))  # fmt: skip
    return replace(original, message=message, kind="near_duplicates")


def near_duplicate(rng: Random, novelty: Novelty, original: Row) -> Row:
    """A copy with a typo whose similarity is in the planned range, and that is like no other row."""
    base = shingles(chat_text(original))
    while True:
        row = typo(rng, original)
        close = NEAR_LOW <= jaccard(base, shingles(chat_text(row))) <= NEAR_HIGH
        if close and novelty.admit(row, original):
            return row


def over_long(rng: Random, row: Row, sentences: list[str]) -> Row:
    """The row with quoted sentences after its message, above OVER_LONG_CHARS."""
    message = f"{row.message} I paste our whole mail thread:"
    while len(message) <= OVER_LONG_CHARS + rng.randrange(100, 1500):
        message += f"\n> {rng.choice(sentences)}"
    return replace(row, message=message, kind="over_long")


def break_line(rng: Random, line: str) -> str:
    """Invalid JSON: the line cut off, or with a character too many, too few or changed."""
    middle = rng.randrange(len(line) // 3, len(line) - 10)
    return rng.choice((line[:middle], line[:-1], line + "}", line.replace(":", ";", 1), "'" + line))
