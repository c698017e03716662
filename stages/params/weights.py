"""Which weights a step trains, and how. Fields have the names that PEFT and transformers use."""

from typing import ClassVar, Literal

from modelmake.params import Params
from stages.params.numbers import Fraction, Positive, Rate

STARTS = ("gaussian", "orthogonal", "pissa", "olora")  # of init_lora_weights, besides true
CHANGE_THE_BASE = ("pissa", "olora")  # these take the adapter's start out of the base
NO_STARTS = {  # why not, by the first letters of the name
    "pissa_niter": "PEFT does not load such an adapter as it was trained: want pissa",
    "loftq": "it rounds the base itself: want true, and a quantization",
    "eva": "it is computed from data: want true, pissa or olora",
    "corda": "it is computed from data: want true, pissa or olora",
    "lora_ga": "it is computed from gradients: want true, pissa or olora",
}


class All(Params, tag_field="kind", tag="all"):
    """Every weight."""

    def modules(self) -> list[str]:
        return ["stages.training.weights.all"]

    def on_4_bits(self) -> list[str]:
        """Why a base in 4 bits cannot be trained so; none if it can."""
        return ["want null where weights.kind = all: 4-bit weights cannot be trained"]


class Lora(Params, tag_field="kind", tag="lora"):
    """Fields of PEFT's LoraConfig (Hu et al. 2021, arXiv:2106.09685)."""

    r: Positive
    lora_alpha: Positive
    lora_dropout: Fraction
    target_modules: Literal["all-linear"] | list[str]
    use_dora: bool  # also trains the magnitude of each row of a weight (Liu et al. 2024, arXiv:2402.09353)
    use_rslora: bool  # scales by alpha / √r instead of alpha / r (Kalajdzievski 2023, arXiv:2312.03732)
    init_lora_weights: bool | str  # true, gaussian, orthogonal, pissa (arXiv:2404.02948) or olora (arXiv:2406.01775)
    layers_to_transform: list[int] | None  # numbers of layers, from 0; null: all
    modules_to_save: list[str]  # trained whole
    trainable_token_indices: list[int]  # of rows of the embedding, trained whole
    loraplus_lr_ratio: Rate | None  # learning rate of B by that of A (Hayou et al. 2024, arXiv:2402.12354); null: 1

    def problems(self) -> list[str]:
        problems = [] if self.target_modules else ["target_modules: is empty: want all-linear, or names of layers"]
        start = self.init_lora_weights
        refused = [why for name, why in NO_STARTS.items() if isinstance(start, str) and start.startswith(name)]
        if refused:
            problems.append(f"init_lora_weights = {start!r}: {refused[0]}")
        elif start is False:
            problems.append("init_lora_weights = False: training would start from a random change: want true")
        elif start is not True and start not in STARTS:
            problems.append(f"init_lora_weights = {start!r}: want true or one of {', '.join(STARTS)}")
        elif start == "orthogonal" and self.r % 2:
            problems.append(f"r = {self.r}: want an even number with init_lora_weights = 'orthogonal'")
        elif start in CHANGE_THE_BASE and self.use_dora:
            problems.append(
                f"use_dora = True: want false with init_lora_weights = {start!r}: its magnitudes would be of the "
                "changed base, and the adapter could not be loaded on the original one"
            )
        if self.layers_to_transform is not None:
            if self.target_modules == "all-linear":
                problems.append("layers_to_transform: want null with target_modules = all-linear, or names of modules")
            elif not self.layers_to_transform:
                problems.append("layers_to_transform: is empty: want numbers of layers, or null for all")
        return problems

    def modules(self) -> list[str]:
        return ["stages.training.weights.lora"]

    def on_4_bits(self) -> list[str]:
        """Why a base in 4 bits cannot be trained so; none if it can."""
        if self.init_lora_weights in CHANGE_THE_BASE:
            return [f"want null with init_lora_weights = {self.init_lora_weights!r}: it changes weights that are whole"]
        return []


Weights = All | Lora


class Quantization(Params):
    """Fields of transformers' BitsAndBytesConfig: LoRA on a base in 4 bits is QLoRA."""

    section: ClassVar[str] = "train.{step}.quantization"

    load_in_4bit: bool
    bnb_4bit_quant_type: Literal["nf4", "fp4"]
    bnb_4bit_use_double_quant: bool  # also quantizes the scales
    bnb_4bit_compute_dtype: Literal["float32", "bfloat16"]

    def problems(self) -> list[str]:
        return [] if self.load_in_4bit else ["load_in_4bit = False: want true; or write `quantization: null`"]

    def modules(self) -> list[str]:
        return ["stages.training.qlora"]
