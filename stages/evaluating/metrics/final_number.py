"""Share of answers whose final number, after `####`, is the expected one.

The form is GSM8K's (arXiv:2110.14168). As its authors do, the first `####` counts and commas in numbers do not; here
42.0 is 42 as well.
"""

import re
from decimal import Decimal

from stages.params.evaluation import Suite

FINAL = re.compile(r"#### *([-+]?(?:[0-9][0-9,]*(?:\.[0-9]+)?|\.[0-9]+))")


def number(answer: str) -> Decimal | None:
    """The final number of an answer, None where it has none."""
    found = FINAL.search(answer)
    return Decimal(found[1].replace(",", "")) if found else None


def score(expected: str, answer: str, suite: Suite) -> dict[str, tuple[float, float]]:
    wanted = number(expected)
    return {"final_number": (float(wanted is not None and number(answer) == wanted), 1.0)}
