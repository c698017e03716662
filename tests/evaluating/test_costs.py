"""Costs follow from tokens and declared prices; a fine-tune pays from the request on that makes it cheaper in all."""

import pytest

from stages.evaluating.costs import pays, per_1000
from stages.params.weighing import Price

PRICE = Price(once=0, prompt=0.5, answer=2.0)


def test_1000_requests_cost_their_mean_tokens_at_the_price_of_a_million() -> None:
    # 4 requests: 2,000 tokens read, 40 written; each 500 and 10: 0.00025 + 0.00002
    assert per_1000([2000, 40], 4, PRICE) == 0.27


def test_what_was_not_counted_has_no_cost() -> None:
    assert per_1000(None, 4, PRICE) is None
    assert pays({"once": 1, "per_1000": None}, {"once": 0, "per_1000": 1.0}) is None
    assert pays({"once": 1, "per_1000": 1.0}, {"once": 0, "per_1000": None}) is None


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
    costs = [dict(zip(("once", "per_1000"), of, strict=True)) for of in (model, other)]

    assert pays(*costs) == {"when": when, "requests": requests}
    if requests:  # the definition, on both sides of the volume
        cheaper = [
            (costs[0]["once"] - costs[1]["once"]) * 1000 + n * (costs[0]["per_1000"] - costs[1]["per_1000"]) < -1e-9
            for n in (requests - 1, requests, requests + 1)
        ]
        assert cheaper == ([False, True, True] if when == "from" else [True, True, False])
