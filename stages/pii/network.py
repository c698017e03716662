"""IP addresses of hosts; not loopback and others that identify none."""

import ipaddress
import re
from collections.abc import Iterator

V4 = re.compile(r"(?<![\w.-])\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\w|-\w)")
NOT_AN_ADDRESS = re.compile(  # words before a version or a section
    r"(?:\bv|version(?: of| is| number)?|release|ver\.?|build|section|chapter|clause|figure|table|§)\s{0,12}:?\s?$",
    re.IGNORECASE,
)
V6 = re.compile(
    r"(?<![\w:.])(?=[0-9A-Fa-f:.]{0,30}\d)[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,8}(?:\.\d{1,3}){0,3}(?![\w:])"
)
BEFORE_CHARS = 30  # before an address in which such words are looked for
DOTTED = re.compile(r"\d\.\d{1,3}\.\d")
COLONS = re.compile(r"[0-9A-Fa-f]:[0-9A-Fa-f:]")
GLOBAL = re.compile(  # first groups of addresses that hosts have
    r"(?:[23][0-9a-f]{3}|fe[89ab][0-9a-f]|f[cd][0-9a-f]{2}|64|100):", re.IGNORECASE
)


def addresses(text: str) -> Iterator[tuple[int, int]]:
    """IPv4 and IPv6 addresses, but for loopback, unspecified, broadcast, multicast and reserved ones and masks."""
    if DOTTED.search(text):
        for match in V4.finditer(text):
            before = text[max(0, match.start() - BEFORE_CHARS) : match.start()]
            if identifies_host(match[0]) and not NOT_AN_ADDRESS.search(before):
                yield match.span()
    if COLONS.search(text):
        for match in V6.finditer(text):
            if (match[0].count(":") >= 3 or GLOBAL.match(match[0])) and identifies_host(match[0]):
                yield match.span()


def identifies_host(text: str) -> bool:
    """True if the text is the address of a particular host."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    mask = address.version == 4 and text.startswith("255.")
    return not (address.is_loopback or address.is_unspecified or address.is_multicast or address.is_reserved or mask)
