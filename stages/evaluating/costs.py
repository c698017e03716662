"""What requests cost by declared prices, and when a model that costs more before the first request pays."""

import math
from fractions import Fraction
from typing import Any, NamedTuple

from stages.params.weighing import Price

MILLION = 1_000_000


class Cost(NamedTuple):
    """What a model costs, exactly: of rounded numbers, the volume from which it pays may be far off."""

    once: Fraction  # before the first request
    each: Fraction | None  # of a request in the mean; None: its tokens were not counted

    @property
    def per_1000(self) -> float | None:
        """The price of 1,000 requests, to be shown."""
        return None if self.each is None else round(float(1000 * self.each), 6)


def cost(tokens: list[int] | None, requests: int, price: Price) -> Cost:
    """What a model costs by its price.

    Args:
        tokens: of the prompts and of the answers of all `requests`.
    """
    once, *prices = (Fraction(str(of)) for of in (price.once, price.prompt, price.answer))
    if tokens is None:
        return Cost(once, None)
    return Cost(once, sum(n * of for n, of in zip(tokens, prices, strict=True)) / MILLION / requests)


def pays(model: Cost, other: Cost) -> dict[str, Any] | None:
    """When a model costs less than the other in all: {when, requests}; None if it is not known.

    `when` is "from" so many requests on, "up to" so many, "always" or "never", the last two without a number.
    """
    if model.each is None or other.each is None:
        return None
    once, each = model.once - other.once, model.each - other.each
    if once < 0 < each:
        return {"when": "up to", "requests": math.ceil(once / -each) - 1}
    if each < 0 < once:
        return {"when": "from", "requests": math.floor(once / -each) + 1}
    return {"when": "always" if once < 0 or each < 0 else "never", "requests": None}
