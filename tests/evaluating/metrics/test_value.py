"""The value of a metric from summed statistics."""

import math

import numpy as np
import pytest

from stages.evaluating import metrics
from stages.evaluating.metrics import perplexity
from stages.evaluating.text_likelihood import TextLikelihood


@pytest.mark.parametrize(
    ("name", "sums", "value"),
    [
        ("exact_match", (3, 4), 0.75),
        ("slot_f1.a.b", (2, 5), 0.4),
        ("bits_per_byte", (10, 4), 2.5),
        ("exact_match", (0, 0), 0.0),
        ("perplexity", (2 * math.log(3), 2), 3.0),
        ("perplexity", (0, 0), 0.0),
        # two labels: F1 1/2 and 1
        ("macro_f1", (2, 4, 6, 6), 0.75),
        # the second label is neither expected nor given
        ("macro_f1", (2, 4, 0, 0), 0.5),
        ("macro_f1", (0, 0, 0, 0), 0.0),
        ("macro_f1", (), 0.0),
        # 4 of 4 unigrams, 3, 2, 1; as long as expected
        ("bleu", (4, 4, 4, 3, 2, 1, 4, 3, 2, 1), 100.0),
        # precisions 1/2, 1/3, and for none of 2 and of 1 half a match, then a quarter; 4 of 8 tokens: e^-1
        ("bleu_zh", (4, 8, 2, 1, 0, 0, 4, 3, 2, 1), 100 * math.exp(-1) * (1 / 2 * 1 / 3 * 0.5 / 2 * 0.25 / 1) ** 0.25),
        # no answer has a 4-gram
        ("bleu", (3, 3, 3, 2, 1, 0, 3, 2, 1, 0), 0.0),
        ("bleu", (0,) * 10, 0.0),
        # only unigrams on both sides: precision 1/2, recall 1/4, F2 = 5 * 1/8 / (4 * 1/2 + 1/4)
        ("chrf", (2, 4, 1) + (0,) * 15, 100 * 5 / 8 / 2.25),
        ("chrf", (0,) * 18, 0.0),
    ],
)
def test_a_value_follows_from_sums(name: str, sums: tuple[float, ...], value: float) -> None:
    assert float(metrics.value(name, sums)) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "k"), [("exact_match", 2), ("perplexity", 2), ("macro_f1", 8), ("bleu", 10), ("chrf", 18)]
)
def test_many_sums_have_a_value_each(name: str, k: int) -> None:
    sums = np.random.default_rng(1).integers(0, 9, (3, 5, k))

    values = metrics.value(name, sums)

    assert values.shape == (3, 5)
    assert values[2, 4] == metrics.value(name, sums[2, 4])
    assert np.isfinite(values).all()


def test_perplexity_is_the_exponential_of_nats_a_token() -> None:
    rows = [TextLikelihood(nats, 0, tokens, 9) for nats, tokens in ((math.log(16), 2), (math.log(4), 1))]

    sums = np.sum([perplexity.score(row)["perplexity"] for row in rows], axis=0)

    assert float(metrics.value("perplexity", sums)) == pytest.approx(4, rel=1e-6)  # 64 ^ (1 / 3)
