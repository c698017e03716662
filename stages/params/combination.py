"""Combinations: two adapters of this graph made one, by the methods of PEFT's `add_weighted_adapter`."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from modelmake.params import Params
from stages.params.numbers import Positive
from stages.params.weights import Quantization

PRUNING = ("ties", "dare_linear", "dare_ties", "magnitude_prune")  # methods that keep a share of the numbers
NEEDED = {  # field: the methods that read it
    "svd_rank": ("svd", *(f"{method}_svd" for method in PRUNING)),
    "density": (*PRUNING, *(f"{method}_svd" for method in PRUNING)),
    "majority_sign_method": ("ties", "dare_ties", "ties_svd", "dare_ties_svd"),
    "seed": ("dare_linear", "dare_ties", "dare_linear_svd", "dare_ties_svd"),
}


class Combination(Params, rename={"from_": "from"}):
    """Fields of PEFT's `add_weighted_adapter`; `method` is its `combination_type`."""

    section: ClassVar[str] = "combine.{combination}"

    from_: str  # the model that both adapters were trained from: `base`, a step or a combination
    adapters: list[str]  # two steps that train an adapter; or a combination by cat, which is exact
    weights: list[float]  # of their updates, in the same order
    method: Literal[
        "cat", "linear", "svd", "ties", "dare_linear", "dare_ties", "magnitude_prune",
        "ties_svd", "dare_linear_svd", "dare_ties_svd", "magnitude_prune_svd",
    ]  # fmt: skip
    svd_rank: Positive | None  # of the result; from the size of the layers on, svd is exact
    density: Annotated[float, Meta(gt=0, le=1)] | None  # the share of numbers that pruning keeps
    majority_sign_method: Literal["total", "frequency"] | None
    seed: int | None  # of the numbers that dare keeps
    quantization: Quantization | None  # of the start model, as in the steps

    def problems(self) -> list[str]:
        problems = [
            f"{name}: found {len(values)}, want 2: combine two, and their combination with the next"
            for name, values in (("adapters", self.adapters), ("weights", self.weights))
            if len(values) != 2
        ]
        if len(self.adapters) == 2 and len(set(self.adapters)) == 1:
            problems.append(f"adapters = {self.adapters}: the same twice: want two")
        if not all(self.weights):
            problems.append(f"weights = {self.weights}: want none that is 0: such an adapter adds nothing")
        for field, methods in NEEDED.items():
            value = getattr(self, field)
            if value is None and self.method in methods:
                problems.append(f"{field} = null: want a value: {self.method} needs it")
            elif value is not None and self.method not in methods:
                problems.append(f"{field} = {value!r}: want null: {self.method} does not read it")
        return problems

    def starts(self) -> dict[str, str]:
        """{field: what it names} of the models and adapters of this graph that it reads."""
        return {"from": self.from_} | {f"adapters[{number}]": name for number, name in enumerate(self.adapters)}

    def modules(self) -> list[str]:
        return self.quantization.modules() if self.quantization else []
