"""How well a model predicts a text."""

from typing import NamedTuple


class TextLikelihood(NamedTuple):
    """Sums over the tokens of one text, each predicted from the tokens before it."""

    nats: float  # -ln of the probability of each token
    hits: int  # tokens that the model held to be the most likely
    tokens: int
    bytes: int  # of the text in UTF-8
