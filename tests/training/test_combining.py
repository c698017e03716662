"""Two adapters made one: values by hand on layers of 2 by 2, and PEFT's own results where these are right."""

import math

import pytest
import torch

from stages.params.combination import NEEDED, Combination
from stages.training import combining
from stages.training.combining import Distance, Factors

PLAIN = {
    "from_": "base", "adapters": ["a", "b"], "weights": [1.0, 1.0], "method": "cat", "svd_rank": None, "density": None,
    "majority_sign_method": None, "seed": None, "quantization": None,
}  # fmt: skip
FIELDS = {"svd_rank": 2, "density": 0.5, "majority_sign_method": "total", "seed": 1}


def combination(method: str, **changes: object) -> Combination:
    """Sound params of a method."""
    read = {field: value for field, value in FIELDS.items() if method in NEEDED[field]}
    params = Combination(**(PLAIN | {"method": method} | read | changes))
    assert params.problems() == []
    return params


def tensor(*rows: list[float]) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float64)


# First update: 2 · [1, 0]ᵀ [1, 2] = [[2, 4], [0, 0]]; the second: 0.5 · [0, 2]ᵀ [3, 0] = [[0, 0], [3, 0]].
FIRST = Factors(tensor([1, 2]), tensor([1], [0]), 2.0)
SECOND = Factors(tensor([3, 0]), tensor([0], [2]), 0.5)
UPDATES = [tensor([2, 4], [0, 0]), tensor([0, 0], [3, 0])]


def product(params: Combination, rank: int, weights: tuple[float, float]) -> torch.Tensor:
    A, B, scale = combining.combine(params, [FIRST, SECOND], UPDATES, weights, rank)
    assert A.shape == (rank, 2) and B.shape == (2, rank)
    return scale * B @ A


def test_cat_is_the_exact_weighted_sum_of_updates() -> None:
    """1 · [[2, 4], [0, 0]] - 2 · [[0, 0], [3, 0]]: scales and signs count."""
    assert torch.equal(product(combination("cat"), 2, (1.0, -2.0)), tensor([2, 4], [-6, 0]))


def test_svd_is_exact_at_full_rank_and_above() -> None:
    for rank in (2, 3):
        found = product(combination("svd", svd_rank=rank), rank, (1.0, -2.0))
        assert torch.allclose(found, tensor([2, 4], [-6, 0]), atol=1e-12)


def test_svd_of_a_lower_rank_keeps_the_largest_part() -> None:
    """diag(3, 1) at rank 1 is diag(3, 0)."""
    updates = [tensor([3, 0], [0, 0]), tensor([0, 0], [0, 1])]
    A, B, scale = combining.combine(combination("svd", svd_rank=1), [FIRST, SECOND], updates, (1.0, 1.0), 1)

    assert torch.allclose(scale * B @ A, tensor([3, 0], [0, 0]), atol=1e-12)


def test_linear_multiplies_sums_of_factors_and_is_no_sum_of_updates() -> None:
    """A = √2 [1, 2] + √0.5 [3, 0] = √0.5 [5, 4], B = √2 [1, 0]ᵀ + √0.5 [0, 2]ᵀ = √2 [1, 1]ᵀ: their product."""
    assert torch.allclose(product(combination("linear"), 1, (1.0, 1.0)), tensor([5, 4], [5, 4]), atol=1e-12)


def test_linear_puts_the_sign_of_a_weight_on_one_factor() -> None:
    """A = √2 [1, 2] - √0.5 [3, 0] = √0.5 [-1, 4], B as above."""
    assert torch.allclose(product(combination("linear"), 1, (1.0, -1.0)), tensor([-1, 4], [-1, 4]), atol=1e-12)


def test_magnitude_prune_keeps_the_largest_numbers_of_each() -> None:
    """Of four numbers two are kept: all that are not zero in the first; 3 alone in the second."""
    found = product(combination("magnitude_prune_svd"), 2, (1.0, 1.0))
    assert torch.allclose(found, tensor([2, 4], [3, 0]), atol=1e-12)

    found = product(combination("magnitude_prune_svd", density=0.25), 2, (1.0, 1.0))
    assert torch.allclose(found, tensor([0, 4], [3, 0]), atol=1e-12)


def test_ties_drops_numbers_against_the_majority_and_means_the_others() -> None:
    """[4, 1] and [-2, 3]: signs +, + win; 4 stays alone, 1 and 3 have the mean 2."""
    updates = [tensor([4, 1], [0, 0]), tensor([-2, 3], [0, 0])]
    params = combination("ties_svd", density=0.5)
    A, B, scale = combining.combine(params, [FIRST, SECOND], updates, (1.0, 1.0), 2)

    assert torch.allclose(scale * B @ A, tensor([4, 2], [0, 0]), atol=1e-12)


@pytest.mark.parametrize("method", ["dare_linear_svd", "dare_ties_svd"])
def test_dare_keeps_and_enlarges_numbers_by_chance_that_the_seed_decides(method: str) -> None:
    def found(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return product(combination(method, density=0.5), 2, (1.0, 1.0))

    assert torch.equal(found(1), found(1))
    assert len({tuple(found(seed).round(decimals=6).flatten().tolist()) for seed in range(20)}) > 4
    for value in {round(value, 6) for seed in range(20) for value in found(seed).flatten().tolist()}:
        assert value in (0.0, 4.0, 8.0, 6.0)  # 2, 4 and 3, by 0.5


def test_the_rank_that_one_adapter_lacks_in_a_layer_is_filled_with_zeros() -> None:
    A, B, _ = combining.combine(combination("cat"), [FIRST], UPDATES[:1], [3.0], 2)

    assert torch.equal(A, tensor([6, 12], [0, 0])) and torch.equal(B, tensor([1, 0], [0, 0]))


def layer(**options: object):
    """PEFT's layer around [[1, 0], [0, 1]] with the adapter `x`: A = [1, 2], B = [1, 0]ᵀ."""
    import peft
    from peft.tuners.lora import Linear

    base = torch.nn.Linear(2, 2, bias=False)
    base.weight.data = torch.eye(2)
    config = peft.LoraConfig(r=1, lora_alpha=2, **options)
    built = Linear(base, "x", config=config, r=1, lora_alpha=2)
    built.lora_A["x"].weight.data, built.lora_B["x"].weight.data = (
        torch.tensor([[1.0, 2.0]]),
        torch.tensor([[1.0], [0.0]]),
    )
    return built


def test_the_update_of_a_layer_is_what_merging_adds_and_leaves_the_layer_alone() -> None:
    built = layer()
    before = {name: value.clone() for name, value in built.state_dict().items()}

    assert torch.equal(combining.update(built, "x"), tensor([2, 4], [0, 0]))
    assert not built.merged
    assert all(torch.equal(value, before[name]) for name, value in built.state_dict().items())
    assert {value.dtype for value in built.state_dict().values()} == {torch.float32}


def test_the_update_of_dora_has_its_magnitudes() -> None:
    """Rows of I + [[2, 4], [0, 0]] are [3, 4] and [0, 1], of lengths 5 and 1. With magnitudes 10 and 2 they become
    [6, 8] and [0, 2]: less I, [[5, 8], [0, 1]]."""
    built = layer(use_dora=True)
    built.lora_magnitude_vector["x"].weight.data = torch.tensor([10.0, 2.0])

    assert torch.allclose(combining.update(built, "x"), tensor([5, 8], [0, 1]), atol=1e-12)
    assert torch.equal(built.get_base_layer().weight, torch.eye(2))


def test_the_distance_is_over_all_layers_and_names_the_worst() -> None:
    distance = Distance()
    distance.add("one", tensor([3, 0]), tensor([3, 4]))  # 16 of 25
    distance.add("two", tensor([0, 10]), tensor([0, 10]))  # 0 of 100

    assert distance.relative() == pytest.approx(math.sqrt(16 / 125))
    assert distance.worst() == ("one", pytest.approx(0.8))
    assert distance.norm == 109
