"""E-mail addresses and phone numbers."""

import re
from collections.abc import Iterator

EMAIL = re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+\b")  # bounds of RFC 5321, 1035: linear time
SPELT = ("at)", "at]", "at )", "at ]", "AT)", "AT]", "AT )", "AT ]")
SPELT_EMAIL = re.compile(
    r"\b[\w.+-]{1,64} ?[\[(] ?at ?[\])] ?[\w-]{1,63}(?: ?(?:\.|[\[(] ?dot ?[\])]) ?[\w-]{1,63}){1,4}\b", re.IGNORECASE
)
PHONE = re.compile(
    r"(?<![\w+])(?:(?=[+(])|(?<!\d[ .,:/-]))"  # not the middle of a longer number, a date or a time
    r"(?:\+\d{1,3}[ .-]?)?(?:\(\d{1,5}\)[ ./-]?)?\d{1,5}[ ./-]?\d{2,5}(?:[ .-]?\d{2,5}){0,4}(?!\w)"
)
NO_PHONE = re.compile(r"0\.|\d{1,2}([.-])\d{1,2}\1(?:19|20)\d\d(?!\d)")  # a decimal or a version; a date
AMERICAN = re.compile(r"(?:1[ .-])?\d{3}([ .-])\d{3}\1\d{4}")
CUE = re.compile(  # what says that a number is one to call
    r"\b(?:tel|phone|telephone|mobile|cell|landline|fax|call|dial|ring|whatsapp|sms|text"
    r"|telefon|handy|mobil|téléphone|telefono|teléfono|móvil|celular|numéro|tél)\b"
    r"(?:[ .:#=-]|\b(?:me|us|him|her|them|at|on|is|no|nr|number|numbers|nummer|line)\b){0,6}$",
    re.IGNORECASE,
)
CUE_CHARS = 40


def emails(text: str) -> Iterator[tuple[int, int]]:
    """Addresses, also those spelt with (at)."""
    if "@" in text:
        yield from (match.span() for match in EMAIL.finditer(text))
    if is_spelt(text):
        yield from (match.span() for match in SPELT_EMAIL.finditer(text))


def is_spelt(text: str) -> bool:
    """Whether an address may be spelt with (at)."""
    return (")" in text or "]" in text) and any(word in text for word in SPELT)


def phones(text: str) -> Iterator[tuple[int, int]]:
    """Numbers that are written as phone numbers are, or that the words before say are."""
    for match in PHONE.finditer(text):
        if len(match[0]) < 7:
            continue
        before = max(0, match.start() - CUE_CHARS)
        if is_phone(match[0]) or (is_called(match[0]) and CUE.search(text, before, match.start())):
            yield match.span()


def is_phone(text: str) -> bool:
    """Nine to fifteen digits (ITU-T E.164) that begin as numbers do, with + or 0 or (, or stand as 415-555-0123."""
    if AMERICAN.fullmatch(text):
        return True
    return not NO_PHONE.match(text) and 9 <= sum(c.isdigit() for c in text) <= 15 and text[0] in "+0("


def is_called(text: str) -> bool:
    """Seven to fifteen digits, and no date."""
    return not NO_PHONE.match(text) and 7 <= sum(c.isdigit() for c in text) <= 15
