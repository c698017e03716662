"""Costs follow from tokens and declared prices; a fine-tune pays from the request on that makes it cheaper in all."""

from fractions import Fraction

import pytest

from stages.evaluating.costs import Cost, cost, pays
from stages.params.weighing import Price

PRICE = Price(once=0, prompt=0.5, answer=2.0)


def test_1000_requests_cost_their_mean_tokens_at_the_price_of_a_million() -> None:
    # 4 requests: 2,000 tokens read, 40 written; each 500 and 10: 0.00025 + 0.00002
    assert cost([2000, 40], 4, PRICE).per_1000 == 0.27


def test_what_was_not_counted_has_no_cost() -> None:
    unknown, known = cost(None, 4, PRICE), Cost(Fraction(1), Fraction(1))
    assert unknown.per_1000 is None
    assert pays(unknown, known) is None and pays(known, unknown) is None


@pytest.mark.parametrize(
    ("model", "other", "when", "requests"),
    [
        ((50.0, 0.1), (0.0, 0.6), "from", 100_001),  # at 100,000 both cost 60
        ((50.0, 0.1), (20.0, 0.4), "from", 100_001),
        ((0.7, 0.05), (0.0, 0.12), "from", 10_001),  # in floats 0.7 / 0.00007 is more than 10,000
        ((0.0, 0.6), (50.0, 0.1), "up to", 99_999),
        ((50.0, 0.6), (0.0, 0.1), "never", None),
        ((50.0, 0.1), (0.0, 0.1), "never", None),
        ((0.0, 0.1), (0.0, 0.1), "never", None),
        ((0.0, 0.1), (0.0, 0.6), "always", None),
        ((0.0, 0.1), (50.0, 0.1), "always", None),
        ((0.0, 0.1), (50.0, 0.6), "always", None),
    ],
)
def test_a_model_pays_while_it_costs_less_in_all(model, other, when, requests) -> None:
    costs = [Cost(Fraction(str(once)), Fraction(str(per_1000)) / 1000) for once, per_1000 in (model, other)]

    assert pays(*costs) == {"when": when, "requests": requests}
    if requests:  # the definition, on both sides of the volume
        cheaper = [
            costs[0].once + n * costs[0].each < costs[1].once + n * costs[1].each
            for n in (requests - 1, requests, requests + 1)
        ]
        assert cheaper == ([False, True, True] if when == "from" else [True, True, False])
