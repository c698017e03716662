"""Which weights a step trains, and how. Fields have the names that PEFT and transformers use."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from modelmake.params import Params
from stages.params.numbers import Fraction, Positive, Rate

Count = Annotated[int, Meta(ge=0)]
STARTS = ("gaussian", "orthogonal", "pissa", "olora")  # of init_lora_weights, besides true
CHANGE_THE_BASE = ("pissa", "olora")  # these take the adapter's start out of the base
NO_STARTS = {  # why not, by the first letters of the name
    "pissa_niter": "PEFT does not load such an adapter as it was trained: want pissa",
    "loftq": "it rounds the base itself: want true, and a quantization",
    "eva": "it is computed from data: want true, pissa or olora",
    "corda": "it is computed from data: want true, pissa or olora",
    "lora_ga": "it is computed from gradients: want true, pissa or olora",
}


class _Way(Params):
    refused: ClassVar[dict[str, str]] = dict.fromkeys(
        ("prompt_tuning", "prefix_tuning", "p_tuning"),
        "its virtual tokens are in no weight, and no later step, GGUF file or server would have them",
    )

    ALONE: ClassVar[str] = ""  # why they are trained in one process, if they are

    def modules(self) -> list[str]:
        return [f"stages.training.weights.{type(self).__struct_config__.tag}"]

    def on_4_bits(self) -> list[str]:
        """Why a base in 4 bits cannot be trained so; none if it can."""
        kind = type(self).__struct_config__.tag
        return [f"want null where weights.kind = {kind}: 4-bit weights cannot be trained"]

    def step_problems(self, n_steps: int) -> list[str]:
        """Fields for which a training of so many steps is too short."""
        return []


class All(_Way, tag_field="kind", tag="all"):
    """Every weight."""


class Layers(_Way, tag_field="kind", tag="layers"):
    """The weights of chosen names; all others stay as they are."""

    parameters: list[str]  # patterns of names, as of files: model.layers.1.*, *.mlp.*, lm_head.weight

    def problems(self) -> list[str]:
        return [] if self.parameters else ["parameters: is empty: want patterns of the names of weights"]


class Half(_Way, tag_field="kind", tag="half"):
    """Half of the matrices of each layer, then the other half, and so on (Hui et al. 2024, arXiv:2404.18466)."""

    ALONE: ClassVar[str] = "which weights have gradients changes from turn to turn, and DDP waits for all of them"

    rotate_steps: Positive | None  # steps before the other half is trained; null: an epoch


class Lora(_Way, tag_field="kind", tag="lora"):
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

    def on_4_bits(self) -> list[str]:
        if self.init_lora_weights in CHANGE_THE_BASE:
            return [f"want null with init_lora_weights = {self.init_lora_weights!r}: it changes weights that are whole"]
        return []


class AdaLora(_Way, tag_field="kind", tag="adalora"):
    """Fields of PEFT's AdaLoraConfig: ranks move to where they matter (Zhang et al. 2023, arXiv:2303.10512)."""

    ALONE: ClassVar[str] = "ranks move by the gradients that a process has before they are averaged"

    init_r: Positive  # rank of every module at first
    target_r: Positive  # on average, in the end
    lora_alpha: Positive
    lora_dropout: Fraction
    target_modules: Literal["all-linear"] | list[str]
    tinit: Count  # steps before ranks move
    tfinal: Count  # steps after they have moved
    deltaT: Positive  # steps from one move to the next
    beta1: Annotated[float, Meta(gt=0, lt=1)]  # of the running mean of importance
    beta2: Annotated[float, Meta(gt=0, lt=1)]  # of its uncertainty
    orth_reg_weight: Annotated[float, Meta(ge=0)]  # of the loss that keeps A and B orthogonal

    def problems(self) -> list[str]:
        problems = [] if self.target_modules else ["target_modules: is empty: want all-linear, or names of layers"]
        if self.target_r >= self.init_r:
            problems.append(f"target_r = {self.target_r}: want less than init_r = {self.init_r}: no rank could move")
        return problems

    def on_4_bits(self) -> list[str]:
        return []

    def step_problems(self, n_steps: int) -> list[str]:
        if self.tinit + self.tfinal < n_steps:
            return []
        return [
            f"weights.tinit = {self.tinit} and tfinal = {self.tfinal}: want fewer than the {n_steps} steps of this "
            "training together, or no rank would move"
        ]


Weights = All | Layers | Half | Lora | AdaLora


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
