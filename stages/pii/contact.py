"""E-mail addresses and phone numbers."""

import re
from collections.abc import Iterator

EMAIL = re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+\b")  # bounds of RFC 5321, 1035: linear time
SPELT_AT = ("at)", "at]", "at )", "at ]", "AT)", "AT]", "AT )", "AT ]")
SPELT_OUT_EMAIL = re.compile(
    r"\b[\w.+-]{1,64} ?[\[(] ?at ?[\])] ?[\w-]{1,63}(?: ?(?:\.|[\[(] ?dot ?[\])]) ?[\w-]{1,63}){1,4}\b", re.IGNORECASE
)
PHONE = re.compile(
    r"(?<![\w+])(?:(?=[+(])|(?<!\d[ .,:/-]))"  # not the middle of a longer number, a date or a time
    r"(?:\+\d{1,3}[ .-]?)?(?:\(\d{1,5}\)[ ./-]?)?\d{1,5}[ ./-]?\d{2,5}(?:[ .-]?\d{2,5}){0,4}(?!\w)"
)
NOT_A_PHONE = re.compile(r"0\.|\d{1,2}([.-])\d{1,2}\1(?:19|20)\d\d(?!\d)")  # a decimal or a version; a date
AMERICAN = re.compile(r"(?:1[ .-])?\d{3}([ .-])\d{3}\1\d{4}")
CUE = re.compile(  # words before a phone number
    r"\b(?:tel|phone|telephone|mobile|cell|landline|fax|call|dial|ring|whatsapp|sms|text"
    r"|telefon|handy|mobil|téléphone|telefono|teléfono|móvil|celular|numéro|tél)\b"
    r"(?:[ .:#=-]|\b(?:me|us|him|her|them|at|on|is|no|nr|number|numbers|nummer|line)\b){0,6}$",
    re.IGNORECASE,
)
CUE_CHARS = 40  # before a number in which a cue is looked for


def emails(text: str) -> Iterator[tuple[int, int]]:
    """E-mail addresses, also those spelt out with (at)."""
    if "@" in text:
        yield from (match.span() for match in EMAIL.finditer(text))
    if may_spell_out_email(text):
        yield from (match.span() for match in SPELT_OUT_EMAIL.finditer(text))


def may_spell_out_email(text: str) -> bool:
    """True if the text may spell out an address with (at); cheaper than the pattern."""
    return (")" in text or "]" in text) and any(word in text for word in SPELT_AT)


def phones(text: str) -> Iterator[tuple[int, int]]:
    """Numbers with the form of phone numbers, or with a word such as `call` before them."""
    for match in PHONE.finditer(text):
        if len(match[0]) < 7:
            continue
        before = max(0, match.start() - CUE_CHARS)
        if has_phone_form(match[0]) or (may_be_phone(match[0]) and CUE.search(text, before, match.start())):
            yield match.span()


def has_phone_form(text: str) -> bool:
    """True for nine to fifteen digits (ITU-T E.164) that begin with +, 0 or (, and for the form 415-555-0123."""
    if AMERICAN.fullmatch(text):
        return True
    return not NOT_A_PHONE.match(text) and 9 <= sum(c.isdigit() for c in text) <= 15 and text[0] in "+0("


def may_be_phone(text: str) -> bool:
    """True for seven to fifteen digits that are no date, decimal or version."""
    return not NOT_A_PHONE.match(text) and 7 <= sum(c.isdigit() for c in text) <= 15
