"""Personal data and secrets, found by patterns and checksums; one family of kinds a file.

A finder takes a text and yields (start, end) of each match. The order of kinds matters: later, looser ones do not see
the matches of earlier ones.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

from stages.pii import contact, money, national, network, secrets

Finder = Callable[[str], Iterator[tuple[int, int]]]
KINDS = ("api_key", "iban", "national_id", "card", "email", "ip", "phone", "person", "location")
BY_PRESIDIO = ("person", "location")
FINDERS: dict[str, Finder] = {  # all but national_id, whose finder takes countries too
    "api_key": secrets.keys,
    "iban": money.ibans,
    "card": money.cards,
    "email": contact.emails,
    "ip": network.addresses,
    "phone": contact.phones,
}
DIGIT = re.compile(r"\d")
NUMBER = re.compile(r"\d(?:\D{0,3}\d){6}")
NUMBERS = ("iban", "card", "phone")  # kinds whose matches all contain NUMBER


class Span(NamedTuple):
    start: int
    end: int
    kind: str


def find(text: str, kinds: Collection[str], countries: Sequence[str]) -> list[Span]:
    """The matches of these kinds, in order and without overlaps; `countries` are those of national ids."""
    if not (DIGIT.search(text) or "@" in text or "hf_" in text or contact.may_spell_out_email(text)):
        return []  # every match has one of these
    has_number = NUMBER.search(text)
    spans: list[Span] = []
    rest = text
    for kind in KINDS:
        if kind not in kinds or kind in BY_PRESIDIO or (kind in NUMBERS and not has_number):
            continue
        matches = national.ids(rest, countries) if kind == "national_id" else FINDERS[kind](rest)
        for start, end in list(matches):
            span = Span(start, end, kind)
            spans.append(span)
            rest = mask(rest, [span])
    return sorted(spans)


def mask(text: str, spans: Sequence[Span]) -> str:
    """The text with the spans hidden, at the same length: to patterns they look redacted."""
    for span in spans:
        text = f"{text[: span.start]}[{chr(0) * (span.end - span.start - 2)}]{text[span.end :]}"
    return text


def redact(text: str, spans: Sequence[Span]) -> str:
    """The text with a placeholder of its kind, such as [EMAIL], for each span."""
    parts, position = [], 0
    for span in spans:
        parts += [text[position : span.start], f"[{span.kind.upper()}]"]
        position = span.end
    return "".join([*parts, text[position:]])
