"""Bits that a model needs for a byte of text, the fewer the better: perplexity that tokenizers cannot flatter.

Perplexity per token is exp(nats / tokens), so it sinks when a tokenizer cuts smaller (The Pile, arXiv:2101.00027).
"""

import math

from stages.evaluating.text_likelihood import Reading


def score(reading: Reading) -> dict[str, tuple[float, float]]:
    return {"bits_per_byte": (round(reading.nats / math.log(2), 6), float(reading.bytes))}
