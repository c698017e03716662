"""Personal data and secrets, found by patterns and checksums; one family of kinds a file.

A finder takes a text and yields (start, end) of what it finds. Order matters: what an earlier kind takes, a later and
looser one does not see.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

from stages.pii import contact, money, national, network, secrets

Finder = Callable[[str], Iterator[tuple[int, int]]]
KINDS = ("api_key", "iban", "national_id", "card", "email", "ip", "phone", "person", "location")
BY_PRESIDIO = ("person", "location")
FINDERS: dict[str, Finder] = {  # and those of national.ids, which wants countries too
    "api_key": secrets.keys,
    "iban": money.ibans,
    "card": money.cards,
    "email": contact.emails,
    "ip": network.addresses,
    "phone": contact.phones,
}
DIGIT = re.compile(r"\d")


NUMBER = re.compile(r"\d(?:\D{0,3}\d){6}")
NUMBERS = ("iban", "card", "phone")  # have seven digits at least, and no more than three other characters between


class Span(NamedTuple):
    start: int
    end: int
    kind: str


def find(text: str, kinds: Collection[str], countries: Sequence[str]) -> list[Span]:
    """What there is of these kinds, in order; no two overlap."""
    if not (DIGIT.search(text) or "@" in text or "hf_" in text or contact.is_spelt(text)):
        return []  # whatever is found has one of these
    numbers = NUMBER.search(text)
    found: list[Span] = []
    left = text
    for kind in KINDS:
        if kind not in kinds or kind in BY_PRESIDIO or (kind in NUMBERS and not numbers):
            continue
        spans = national.ids(left, countries) if kind == "national_id" else FINDERS[kind](left)
        for start, end in list(spans):
            found.append(Span(start, end, kind))
            left = masked(left, [Span(start, end, kind)])
    return sorted(found)


def masked(text: str, spans: Sequence[Span]) -> str:
    """The text as patterns see it once the spans are redacted, at the same length."""
    for span in spans:
        text = f"{text[: span.start]}[{chr(0) * (span.end - span.start - 2)}]{text[span.end :]}"
    return text


def redact(text: str, spans: Sequence[Span]) -> str:
    """The text with a typed placeholder, [EMAIL], in the place of each."""
    parts, position = [], 0
    for span in spans:
        parts += [text[position : span.start], f"[{span.kind.upper()}]"]
        position = span.end
    return "".join([*parts, text[position:]])
