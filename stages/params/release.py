"""Release: quantized models, their parity with the model that they were made from, the card and the report."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from modelmake.params import Params
from stages.params.numbers import Fraction, Positive


class Calibration(Params):
    """Training rows for a tool that calibrates on activations."""

    section: ClassVar[str] = "quantize.{quant}.calibration"

    rows: Literal["chat", "text"]  # kind of rows
    num_calibration_samples: Positive


class _Quant(Params, rename={"from_": "from"}):
    section: ClassVar[str] = "quantize.{quant}"

    from_: str  # `base` or a step: the model to quantize

    def modules(self) -> list[str]:
        return [f"stages.exporting.quantizers.{type(self).__struct_config__.tag}"]


class Gguf(_Quant, tag_field="tool", tag="gguf"):
    """A GGUF file written by the gguf package, without a compiler. The section's name is the type."""

    TYPES: ClassVar = ("F32", "F16", "Q8_0", "Q5_0", "Q4_0")
    RUNTIMES: ClassVar = ("llama_cpp",)

    calibration: None  # uses the weights alone


class LlamaCpp(_Quant, tag_field="tool", tag="llama_cpp"):
    """A GGUF file quantized by llama.cpp itself, which envs/llama_cpp compiles at the first use."""

    TYPES: ClassVar = ("Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M")
    RUNTIMES: ClassVar = ("llama_cpp",)

    calibration: None  # uses the weights alone

    def environments(self) -> list[str]:
        return ["envs/llama_cpp"]


class Llmcompressor(_Quant, tag_field="tool", tag="llmcompressor"):
    """Safetensors in the compressed-tensors format, calibrated on training rows by llmcompressor in envs/llmcompressor.

    `awq` is W4A16, symmetric, in groups of 128 (Lin et al. 2023, arXiv:2306.00978).
    """

    TYPES: ClassVar = ("awq",)
    RUNTIMES: ClassVar = ("compressed_tensors",)

    calibration: Calibration
    max_seq_length: Positive  # tokens; longer rows are cut
    device: Literal["cpu", "cuda"]

    def environments(self) -> list[str]:
        return ["envs/llmcompressor"]


Quant = Gguf | LlamaCpp | Llmcompressor


class Parity(Params):
    """Bounds on the difference between a quantized model's answers and those of the model that it was made from."""

    section: ClassVar[str] = "parity.{quant}"

    max_difference: Fraction  # of exact_match, either way
    min_same_answers: Fraction | None  # share of rows with equal answers; null: no bound, as for types of few bits


class Card(Params):
    section: ClassVar[str] = "card"

    model: str  # `base` or a step: the model that the card describes
    name: str
    license: str | None  # SPDX identifier of the weights; null: not declared
    language: list[str] | None  # ISO 639-1; null: not declared
    description: str | None  # null: not declared


class Report(Params):
    section: ClassVar[str] = "report"

    title: str | None  # null: the name of the card
    examples: Annotated[int, Meta(ge=0)]  # held-out questions, shown with every model's answer
