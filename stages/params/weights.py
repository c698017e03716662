"""Which weights a step trains, and how. Fields have the names that PEFT and transformers use."""

from typing import ClassVar, Literal

from modelmake.params import Params
from stages.params.numbers import Fraction, Positive


class All(Params, tag_field="kind", tag="all"):
    """Every weight."""

    def modules(self) -> list[str]:
        return ["stages.training.weights.all"]


class Lora(Params, tag_field="kind", tag="lora"):
    """Fields of PEFT's LoraConfig (Hu et al. 2021, arXiv:2106.09685)."""

    r: Positive
    lora_alpha: Positive
    lora_dropout: Fraction
    target_modules: Literal["all-linear"] | list[str]
    use_dora: bool

    def problems(self) -> list[str]:
        return [] if self.target_modules else ["target_modules: is empty: want all-linear, or names of layers"]

    def modules(self) -> list[str]:
        return ["stages.training.weights.lora"]


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
