"""What requests cost by declared prices, and when a model that costs more before the first request pays."""

import math
from fractions import Fraction
from typing import Any

from stages.params.weighing import Price

MILLION = 1_000_000


def per_1000(tokens: list[int] | None, requests: int, price: Price) -> float | None:
    """The price of 1,000 requests; None if their tokens were not counted.

    Args:
        tokens: of the prompts and of the answers of all `requests`.
    """
    if tokens is None:
        return None
    prompt, answer = tokens
    return round((prompt * price.prompt + answer * price.answer) / MILLION / requests * 1000, 6)


def pays(model: dict[str, Any], other: dict[str, Any]) -> dict[str, Any] | None:
    """When a model costs less than the other in all: {when, requests}; None if it is not known.

    `when` is "from" so many requests on, "up to" so many, "always" or "never", the last two without a number.

    Args:
        model, other: {once, per_1000}
    """
    if model["per_1000"] is None or other["per_1000"] is None:
        return None
    # exact: of floats, a volume may be one request off
    once, each = (Fraction(str(model[of])) - Fraction(str(other[of])) for of in ("once", "per_1000"))
    if once < 0 < each:
        return {"when": "up to", "requests": math.ceil(1000 * once / -each) - 1}
    if each < 0 < once:
        return {"when": "from", "requests": math.floor(1000 * once / -each) + 1}
    return {"when": "always" if once < 0 or each < 0 else "never", "requests": None}
