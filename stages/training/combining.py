"""Two adapters made one, layer by layer: the methods of PEFT's `add_weighted_adapter`, and how exact their result is.

PEFT's own method starts magnitudes of DoRA anew, makes rsLoRA stronger by the root of the rank, and loses modules that
an adapter holds beside its factors. Here `svd` and its kin read the real update of a layer: what merging adds.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from stages.params.combination import Combination

Tensor = Any  # torch is imported late


class Factors(NamedTuple):
    """LoRA's update of a layer: scale · B · A."""

    A: Tensor  # (rank, in)
    B: Tensor  # (out, rank)
    scale: float


def arithmetic(params: Combination) -> Callable[[list[Tensor], list[float]], Tensor]:
    """PEFT's way to add tensors with weights that the method names."""
    import torch
    from peft.utils import merge_utils

    name = params.method.removesuffix("_svd")
    function = merge_utils.task_arithmetic if name in ("linear", "svd") else getattr(merge_utils, name)
    options = {"density": params.density, "majority_sign_method": params.majority_sign_method}
    given = {field: value for field, value in options.items() if value is not None}
    return lambda tensors, weights: function(tensors, torch.tensor(weights, dtype=tensors[0].dtype), **given)


def combine(
    params: Combination, factors: Sequence[Factors], updates: Sequence[Tensor], weights: Sequence[float], rank: int
) -> Factors:
    """The combined update of a layer, with `rank` and the scale 1.

    Args:
        factors, updates, weights: of the adapters that change this layer, one or two.
        updates: what merging adds to the weights; only svd and its kin read them.
    """
    import torch

    strengths = [weight * factor.scale for weight, factor in zip(weights, factors, strict=True)]
    if params.method == "cat":
        A = torch.cat([strength * factor.A for strength, factor in zip(strengths, factors, strict=True)])
        B = torch.cat([factor.B for factor in factors], dim=1)
    elif params.svd_rank:
        A, B = truncated(arithmetic(params)(list(updates), list(weights)), rank)
    else:
        add, roots = arithmetic(params), [abs(strength) ** 0.5 for strength in strengths]
        signed = [-root if strength < 0 else root for root, strength in zip(roots, strengths, strict=True)]
        A = add([factor.A for factor in factors], signed)
        B = add([factor.B for factor in factors], roots)
    missing = rank - len(A)  # rows of zeros change nothing
    return Factors(torch.nn.functional.pad(A, (0, 0, 0, missing)), torch.nn.functional.pad(B, (0, missing)), 1.0)


def truncated(update: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """(A, B) whose product is the nearest matrix of this rank; of less where the update has fewer rows or columns."""
    import torch

    U, S, Vh = torch.linalg.svd(update, full_matrices=False)
    return Vh[:rank], U[:, :rank] * S[:rank]


def update(layer: Any, adapter: str) -> Tensor:
    """What merging an adapter adds to the weights of PEFT's layer, in float64. The layer stays as it is."""
    kept = {parameter: parameter.data for parameter in layer.parameters()}
    for parameter, data in kept.items():
        parameter.data = data.double()
    before = layer.get_base_layer().weight.data
    layer.merge(safe_merge=True, adapter_names=[adapter])
    added = layer.get_base_layer().weight.data - before
    layer.merged_adapters.clear()
    for parameter, data in kept.items():
        parameter.data = data
    return added


class Distance:
    """How far combined updates are from the exact weighted sums: Frobenius norms over all layers."""

    def __init__(self) -> None:
        self.layers: dict[str, tuple[float, float]] = {}  # {layer: squares of (the difference, the exact sum)}
        self.norm = 0.0  # square, of the combined updates

    def add(self, layer: str, combined: Tensor, exact: Tensor) -> None:
        self.layers[layer] = float((combined - exact).square().sum()), float(exact.square().sum())
        self.norm += float(combined.square().sum())

    @property
    def exact(self) -> float:
        """The square of the norm of the exact sums."""
        return sum(exact for _, exact in self.layers.values())

    def relative(self) -> float:
        return (sum(difference for difference, _ in self.layers.values()) / self.exact) ** 0.5

    def worst(self) -> tuple[str, float]:
        """The layer whose difference is the largest share of its own sum, and that share."""
        shares = {layer: (d / exact) ** 0.5 if exact else float(d > 0) for layer, (d, exact) in self.layers.items()}
        return max(shares.items(), key=lambda item: item[1])
