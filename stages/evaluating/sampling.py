"""Sampling of tokens, so that an answer depends on its own seed and not on the batch that it is computed in."""

import random
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor


class Sampling(NamedTuple):
    """How tokens are drawn, spelt as in transformers, and what the draws of each answer follow from."""

    temperature: float
    top_k: int | None  # None: of all tokens
    top_p: float
    seeds: list[list[str]]  # of each conversation, one for each of its answers


def draws(seed: str, n: int) -> list[float]:
    """`n` numbers from 0 up to 1, the same in every version of Python."""
    generator = random.Random(seed)
    return [generator.random() for _ in range(n)]


def choose(logits: "Tensor", drawn: "Tensor", sampling: Sampling) -> "Tensor":
    """The token at each draw, (B,), where the tokens share the space from 0 to 1 by their probabilities.

    The most likely tokens come first, at most `top_k`, and only until they have `top_p` of the probability. The shares
    are those that transformers draws by.

    Args:
        logits: (B, V).
        drawn: (B,), from 0 up to 1.
    """
    ordered, tokens = (logits.float() / sampling.temperature).sort(dim=-1, descending=True, stable=True)  # (B, V)
    shares = ordered[:, : sampling.top_k].double().softmax(-1)
    ends = shares.cumsum(-1)
    kept = ends - shares < sampling.top_p  # the first is always
    most = (shares * kept).sum(-1, keepdim=True)
    places = (ends <= drawn[:, None] * most).sum(-1, keepdim=True)
    return tokens.gather(-1, places.minimum(kept.sum(-1, keepdim=True) - 1)).squeeze(-1)
