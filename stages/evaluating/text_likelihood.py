"""How well a model foresees a text."""

from typing import NamedTuple


class Reading(NamedTuple):
    """Of one text, every token predicted from what stands before it."""

    nats: float  # sum of -ln of the probability that each token was given
    hits: int  # tokens that were the likeliest
    tokens: int
    bytes: int  # of the text in UTF-8
