"""Numbers as text."""

import pytest

from stages.reporting import formatting


@pytest.mark.parametrize(
    ("value", "text"), [(0.25, "+0.250"), (-0.25, "−0.250"), (0.0, "0.000"), (-0.0001, "0.000"), (0.0001, "0.000")]
)
def test_a_difference_has_its_sign_and_zero_has_none(value: float, text: str) -> None:
    assert formatting.signed(value) == text


@pytest.mark.parametrize(("value", "text"), [(999, "999 B"), (2232912, "2.23 MB"), (658960, "659 kB"), (16e9, "16 GB")])
def test_sizes_in_decimal_units(value: int, text: str) -> None:
    assert formatting.size(value) == text


@pytest.mark.parametrize(
    ("history", "text"),
    [
        ([{"loss": 6.554}, {"eval_loss": 0.82}, {"loss": 0.712}], "loss 6.55 → 0.712; 0.82 on held-out rows"),
        ([{"reward": 0.25}, {"eval_reward": 0.5}], "reward 0.25 → 0.25; 0.5 on held-out rows"),
    ],
)
def test_losses_or_rewards_from_the_first_to_the_last(history: list[dict], text: str) -> None:
    assert formatting.losses(history) == text
