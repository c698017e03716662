"""Bits per byte of text, the lower the better. Comparable between models with different tokenizers.

Perplexity per token, exp(nats / tokens), is not: it falls when a tokenizer makes more tokens of the same text
(The Pile, arXiv:2101.00027).
"""

import math

from stages.evaluating.metrics import Metric
from stages.evaluating.text_likelihood import TextLikelihood

METRIC = Metric("lower", 0, None, "Gao et al. 2020, The Pile, arXiv:2101.00027")


def score(likelihood: TextLikelihood) -> dict[str, tuple[float, float]]:
    return {"bits_per_byte": (round(likelihood.nats / math.log(2), 6), float(likelihood.bytes))}
