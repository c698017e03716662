"""IP addresses; not those that every machine calls itself by."""

import ipaddress
import re
from collections.abc import Iterator

V4 = re.compile(r"(?<![\w.-])\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\w|-\w)")
NO_ADDRESS = re.compile(
    r"(?:\bv|version(?: of| is| number)?|release|ver\.?|build|section|chapter|clause|figure|table|§)\s{0,12}:?\s?$",
    re.IGNORECASE,
)
V6 = re.compile(
    r"(?<![\w:.])(?=[0-9A-Fa-f:.]{0,30}\d)[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,8}(?:\.\d{1,3}){0,3}(?![\w:])"
)
BEFORE = 30  # characters
DOTTED = re.compile(r"\d\.\d{1,3}\.\d")
COLONS = re.compile(r"[0-9A-Fa-f]:[0-9A-Fa-f:]")
GLOBAL = re.compile(r"(?:[23][0-9a-f]{3}|fe[89ab][0-9a-f]|f[cd][0-9a-f]{2}|64|100):", re.IGNORECASE)  # first group


def addresses(text: str) -> Iterator[tuple[int, int]]:
    """IPv4 and IPv6 addresses but for loopback, unspecified, broadcast, multicast and reserved ones."""
    if DOTTED.search(text):
        for match in V4.finditer(text):
            before = text[max(0, match.start() - BEFORE) : match.start()]
            if is_somebodys(match[0]) and not NO_ADDRESS.search(before):
                yield match.span()
    if COLONS.search(text):
        for match in V6.finditer(text):
            if (match[0].count(":") >= 3 or GLOBAL.match(match[0])) and is_somebodys(match[0]):
                yield match.span()


def is_somebodys(text: str) -> bool:
    """Whether an address may stand for a machine that is somebody's."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    mask = address.version == 4 and text.startswith("255.")
    return not (address.is_loopback or address.is_unspecified or address.is_multicast or address.is_reserved or mask)
