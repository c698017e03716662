"""National identity and tax numbers: for each country patterns, checks, and words that must precede a number.

Words are required where pattern and check digit accept too many other numbers.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

from stages.pii.checksums import luhn, mod_11_10, verhoeff, weighted

SPANISH = "TRWAGMYFPDXBNJZSQVHLCKE"
FINNISH = "0123456789ABCDEFHJKLMNPRSTUVWXY"
IRISH = "WABCDEFGHIJKLMNOPQRSTUV"
SINGAPORE = {"S": "JZIHGFEDCBA", "T": "GFEDCBAJZIH", "F": "XWUTRQPNMLK", "G": "RQPNMLKXWUT"}
CHINESE = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
NORWEGIAN = ((3, 7, 6, 1, 8, 9, 4, 5, 2, 1), (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1))
ITALIAN = (  # values of 0 to 9 and A to Z in odd places
    1, 0, 5, 7, 9, 13, 15, 17, 19, 21,
    1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
)  # fmt: skip
NOT_BEFORE = r"(?<![\w+])(?<!\d[.-])(?<!\+\d[ -])(?<!\+\d\d[ -])(?<!\+\d{3}[ -])"  # a country's phone code, for one
CUE_CHARS = 40  # before a number in which a cue is looked for


class Id(NamedTuple):
    """A kind of national number."""

    pattern: str  # case ignored
    is_valid: Callable[[str], bool]  # given the number in capitals without spaces and punctuation
    cue: str  # pattern that the text before a number must contain; empty: none


def _date(month: str, day: str) -> bool:
    return 1 <= int(month) <= 12 and 1 <= int(day) <= 31


def _us(n: str) -> bool:
    if n[0] == "9":  # an ITIN, for taxpayers without a social security number
        return int(n[3:5]) in {*range(50, 66), *range(70, 89), 90, 91, 92, *range(94, 100)}
    return n[:3] not in ("000", "666") and n[3:5] != "00" and n[5:] != "0000"


def _de(n: str) -> bool:
    counts = sorted(n[:10].count(digit) for digit in set(n[:10]))
    return counts[-1] in (2, 3) and counts[-2] == 1 and mod_11_10(n)


def _fr(n: str) -> bool:
    return 97 - int(n[:13].replace("2A", "19").replace("2B", "18")) % 97 == int(n[13:])


def _es(n: str) -> bool:
    return SPANISH[int(n[:-1].translate(str.maketrans("XYZ", "012"))) % 23] == n[-1]


def _it(n: str) -> bool:
    odd = sum(ITALIAN[int(c, 36)] for c in n[:15:2])
    even = sum(int(c) if c.isdigit() else ord(c) - ord("A") for c in n[1:15:2])
    return chr(ord("A") + (odd + even) % 26) == n[15]


def _br(n: str) -> bool:
    checks = [weighted(n, range(length + 1, 1, -1)) * 10 % 11 % 10 for length in (9, 10)]
    return len(set(n)) > 1 and n[9:] == "".join(map(str, checks))


def _be(n: str) -> bool:
    return int(n[9:]) in (97 - int(n[:9]) % 97, 97 - int(f"2{n[:9]}") % 97)


def _cn(n: str) -> bool:
    return _date(n[10:12], n[12:14]) and "10X98765432"[weighted(n, CHINESE) % 11] == n[17]


def _fi(n: str) -> bool:
    return _date(n[2:4], n[:2]) and FINNISH[int(n[:6] + n[-4:-1]) % 31] == n[-1]


def _ie(n: str) -> bool:
    second = "WABCDEFGHI".index(n[8]) * 9 if len(n) == 9 else 0
    return IRISH[(weighted(n[:7], range(8, 1, -1)) + second) % 23] == n[7]


def _no(n: str) -> bool:
    return all(weighted(n, weights) % 11 == 0 for weights in NORWEGIAN)


def _pl(n: str) -> bool:
    return _date(str(int(n[2:4]) % 20), n[4:6]) and weighted(n, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def _pt(n: str) -> bool:
    check = 11 - weighted(n, range(9, 1, -1)) % 11
    return int(n[8]) == (check if check < 10 else 0)


def _se(n: str) -> bool:
    return _date(n[-8:-6], str(int(n[-6:-4]) % 60)) and luhn(n[-10:])


def _sg(n: str) -> bool:
    return SINGAPORE[n[0]][weighted(n[1:8], (2, 7, 6, 5, 4, 3, 2)) % 11] == n[8]


def _tr(n: str) -> bool:
    d = [int(c) for c in n]
    return (sum(d[0:9:2]) * 7 - sum(d[1:8:2])) % 10 == d[9] and sum(d[:10]) % 10 == d[10]


COUNTRIES: dict[str, tuple[Id, ...]] = {
    "AU": (Id(r"\d{3} ?\d{3} ?\d{3}", lambda n: weighted(n, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0, r"tfn|tax file"),),
    "BE": (Id(r"\d\d[. ]?\d\d[. ]?\d\d[- ]?\d{3}[. ]?\d\d", _be, ""),),
    "BR": (Id(r"\d{3}\.\d{3}\.\d{3}-\d\d", _br, ""), Id(r"\d{9}-?\d\d", _br, r"cpf")),
    "CA": (Id(r"\d{3}[- ]\d{3}[- ]\d{3}", luhn, ""), Id(r"\d{9}", luhn, r"\bsin\b|social insurance|assurance sociale")),
    "CH": (Id(r"756[. ]?\d{4}[. ]?\d{4}[. ]?\d\d", lambda n: weighted(n, (1, 3) * 6 + (1,)) % 10 == 0, ""),),
    "CN": (Id(r"[1-9]\d{5}(?:19|20)\d{9}[\dX]", _cn, ""),),
    "DE": (Id(r"[1-9]\d ?\d{3} ?\d{3} ?\d{3}", _de, ""),),
    "DK": (Id(r"\d{6}-\d{4}", lambda n: _date(n[2:4], n[:2]), ""),),
    "ES": (Id(r"\d{8}[ -]?[A-Z]", _es, ""), Id(r"[XYZ][ -]?\d{7}[ -]?[A-Z]", _es, "")),
    "FI": (Id(r"\d{6}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y]", _fi, ""),),
    "FR": (Id(r"[1-478] ?\d\d ?\d\d ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d", _fr, ""),),
    "GB": (Id(r"(?!BG|GB|KN|NK|NT|TN|ZZ)(?:[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]|QQ)(?: ?\d\d){3} ?[A-D]", bool, ""),),
    "IE": (Id(r"\d{7}[A-W][A-IW]?", _ie, ""),),
    "IN": (
        Id(r"[2-9]\d{3}([ -])\d{4}\1\d{4}", verhoeff, ""),
        Id(r"[2-9]\d{11}", verhoeff, r"aadh?aar|uidai|\buid\b"),
        Id(r"[A-Z]{3}[ABCFGHJLPT][A-Z]\d{4}[A-Z]", bool, ""),
    ),
    "IT": (Id(r"[A-Z]{6}(?:[\dL-NP-V]{2}[A-EHLMPRST][\dL-NP-V]{2}[A-Z][\dL-NP-V]{3}[A-Z])", _it, ""),),
    "NL": (
        Id(r"\d{9}|\d{4}[. ]\d\d[. ]\d{3}", lambda n: weighted(n, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0,
           r"\bbsn\b|burgerservice|sofi"),
    ),
    "NO": (Id(r"\d{6} ?\d{5}", _no, ""),),
    "PL": (Id(r"\d{11}", _pl, ""),),
    "PT": (Id(r"[1-35689]\d{2} ?\d{3} ?\d{3}", _pt, r"\bnif\b|contribuinte|fiscal"),),
    "SE": (Id(r"(?:19|20)?\d{6}[-+]\d{4}|(?:19|20)\d{10}", _se, ""),),
    "SG": (Id(r"[STFG]\d{7}[A-Z]", _sg, ""),),
    "TR": (Id(r"[1-9]\d{10}", _tr, ""),),
    "US": (Id(r"\d{3}([- ])\d\d\1\d{4}", _us, ""), Id(r"\d{9}", _us, r"\bssn\b|\bitin\b|social security")),
    "ZA": (Id(r"\d{6} ?\d{4} ?\d{3}", lambda n: _date(n[2:4], n[4:6]) and luhn(n), ""),),
}  # fmt: skip


@cache
def compiled(country: str) -> list[tuple[re.Pattern[str], Id, re.Pattern[str]]]:
    """(pattern, id, cue) of each number of a country, patterns compiled."""
    return [
        (re.compile(rf"{NOT_BEFORE}(?:{id.pattern})(?!\w|[.-]\d)", re.IGNORECASE), id,
         re.compile(id.cue, re.IGNORECASE))
        for id in COUNTRIES[country]
    ]  # fmt: skip


def ids(text: str, countries: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Spans of the numbers of these countries, sorted; of overlapping ones that of the country named first."""
    spans: list[tuple[int, int]] = []
    for country in countries:
        for pattern, id, cue in compiled(country):
            for match in pattern.finditer(text):
                if any(match.start() < end and start < match.end() for start, end in spans):
                    continue
                before = text[max(0, match.start() - CUE_CHARS) : match.start()]
                if id.is_valid(re.sub(r"[ .+-]", "", match[0]).upper()) and cue.search(before):
                    spans.append(match.span())
    yield from sorted(spans)
