"""Check digits that several kinds of numbers share. Every function takes the digits as a string."""

from collections.abc import Sequence

PRODUCTS = (  # multiplication in the dihedral group of order 10
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
PERMUTATIONS = (
    "0123456789", "1576283094", "5803796142", "8916043527",
    "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1: with every second digit from the right doubled, the digits sum to a multiple of ten."""
    numbers = [int(c) for c in reversed(digits)]
    return sum(d if i % 2 == 0 else sum(divmod(2 * d, 10)) for i, d in enumerate(numbers)) % 10 == 0


def verhoeff(digits: str) -> bool:
    """Verhoeff 1969: detects every wrong digit and every swap of two neighbours."""
    check = 0
    for place, digit in enumerate(reversed(digits)):
        check = int(PRODUCTS[check][int(PERMUTATIONS[place % 8][int(digit)])])
    return check == 0


def mod_11_10(digits: str) -> bool:
    """ISO/IEC 7064 MOD 11,10."""
    check = 10
    for digit in digits[:-1]:
        check = ((int(digit) + check) % 10 or 10) * 2 % 11
    return (int(digits[-1]) + check) % 10 == 1


def weighted(digits: str, weights: Sequence[int]) -> int:
    """The weighted sum of the first digits, as many as there are weights."""
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))
