"""Draws follow from a seed; tokens are drawn by the probabilities that transformers draws by."""

import pytest

from stages.evaluating.sampling import Sampling, choose, draws

LOGITS = [[2.0, 0.0, 1.0, -3.0, 1.5, 0.5], [0.1, 0.2, 0.0, 0.3, 0.4, 9.0], [1.0, 4.0, 3.0, 2.0, -9.0, 0.0]]
N = 2000  # draws, evenly spread


def test_draws_are_those_of_their_seed_in_every_version() -> None:
    assert draws("1 row 0", 2) == [0.9741048960302994, 0.9356335393456885]
    assert draws("1 row 0", 5)[:2] == draws("1 row 0", 2)
    assert draws("1 row 1", 2) != draws("1 row 0", 2)


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(1.0, None, 1.0, []),
        Sampling(0.5, None, 1.0, []),
        Sampling(2.0, 3, 1.0, []),
        Sampling(1.0, None, 0.6, []),
        Sampling(1.5, 4, 0.8, []),
        Sampling(1.0, 1, 0.01, []),
        Sampling(1.0, 99, 1.0, []),
    ],
    ids=str,
)
def test_tokens_are_drawn_by_the_probabilities_that_transformers_draws_by(sampling: Sampling) -> None:
    import torch
    from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

    logits = torch.tensor(LOGITS)
    warped = TemperatureLogitsWarper(sampling.temperature)(None, logits)
    warped = TopKLogitsWarper(sampling.top_k)(None, warped) if sampling.top_k else warped
    warped = TopPLogitsWarper(sampling.top_p)(None, warped) if sampling.top_p < 1 else warped
    spread = (torch.arange(N, dtype=torch.float64) + 0.5) / N

    for row, expected in zip(logits, warped.softmax(-1), strict=True):
        tokens = choose(row.expand(N, -1), spread, sampling)
        found = torch.bincount(tokens, minlength=len(row)) / N
        assert found.tolist() == pytest.approx(expected.tolist(), abs=1.5 / N)


def test_the_ends_of_the_space_of_draws_are_tokens_that_can_be_drawn() -> None:
    import torch

    ends = torch.tensor([0.0, 1 - 2**-53], dtype=torch.float64)
    logits = torch.tensor([LOGITS[0], LOGITS[0]])

    assert choose(logits, ends, Sampling(1.0, None, 0.6, [])).tolist() == [0, 4]
    assert choose(logits, ends, Sampling(1.0, None, 1.0, [])).tolist() == [0, 3]
