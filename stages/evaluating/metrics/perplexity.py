"""Perplexity per token, exp(nats / tokens); comparable within one tokenizer only, unlike bits per byte."""

from typing import Any

from stages.evaluating.metrics import Metric, Statistics, ratio
from stages.evaluating.text_likelihood import TextLikelihood

METRIC = Metric("lower", 1, None, "Jelinek et al. 1977, Perplexity, JASA 62 S63")


def score(likelihood: TextLikelihood) -> dict[str, Statistics]:
    return {"perplexity": (round(likelihood.nats, 6), float(likelihood.tokens))}


def combine(sums: Any) -> Any:
    """(..., 2) nats and tokens → (...)."""
    import numpy as np

    return np.where(sums[..., 1] > 0, np.exp(ratio(sums)), 0.0)
