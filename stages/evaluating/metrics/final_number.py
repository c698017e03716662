"""Share of answers whose final number, after `####`, equals the expected one.

This is the format of GSM8K (arXiv:2110.14168). As in its authors' code, the first `####` counts and commas in numbers
are ignored; unlike there, 42.0 equals 42, and what goes on as another number or a term (1/2, 2:30, 10^6, 3e5, 18 * 2)
is none.
"""

import re
from decimal import Decimal

from stages.answers.reply import Reply
from stages.evaluating.metrics import Metric, of_text
from stages.params.evaluation import Suite

METRIC = Metric("higher", 0, 1, "Cobbe et al. 2021, GSM8K, arXiv:2110.14168")
FINAL = re.compile(
    r"#### *\$?([-+]?(?:[0-9][0-9,]*(?:\.[0-9]+)?|\.[0-9]+))"
    r"(?![ .,/:^*]?[0-9]|[eE][-+]?[0-9]| *[-+*/×÷^:] *\$?[0-9(])"
)


def number(answer: str) -> Decimal | None:
    """The final number of an answer, or None."""
    match = FINAL.search(answer)
    return Decimal(match[1].replace(",", "")) if match else None


def usable(expected: Reply, suite: Suite) -> bool:
    return number(expected.text) is not None


def score(expected: Reply, answer: Reply, suite: Suite) -> dict[str, tuple[float, float]]:
    expected_number = number(expected.text)
    matches = expected_number is not None and number(answer.text) == expected_number
    return {"final_number": of_text(matches, expected)}
