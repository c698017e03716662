"""Release: quantized files, their parity with the model, the card and the report."""

from typing import Annotated, ClassVar

from msgspec import Meta

from modelmake.params import Params

Fraction = Annotated[float, Meta(ge=0, le=1)]


class Gguf(Params, tag_field="tool", tag="gguf", rename={"from_": "from"}):
    """A GGUF file written through the gguf package: no compiler needed. The section's name is its type."""

    TYPES: ClassVar = ("F32", "F16", "Q8_0", "Q5_0", "Q4_0")
    section: ClassVar[str] = "quantize.{quant}"

    from_: str  # the model

    def modules(self) -> list[str]:
        return ["stages.quantizers.gguf"]


class LlamaCpp(Params, tag_field="tool", tag="llama_cpp", rename={"from_": "from"}):
    """A GGUF file quantized by llama.cpp itself, which envs/llama_cpp compiles at its first use."""

    TYPES: ClassVar = ("Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M")
    section: ClassVar[str] = "quantize.{quant}"

    from_: str  # the model

    def modules(self) -> list[str]:
        return ["stages.quantizers.llama_cpp"]

    def environments(self) -> list[str]:
        return ["envs/llama_cpp"]


Quant = Gguf | LlamaCpp


class Parity(Params):
    section: ClassVar[str] = "parity"

    suite: str
    max_difference: Fraction  # of exact_match, file against model
    min_same_answers: Fraction  # share of rows that both answer alike
    context_tokens: Annotated[int, Meta(ge=1)]  # window that llama.cpp is started with


class Card(Params):
    section: ClassVar[str] = "card"

    model: str  # the model that the card describes
    name: str
    license: str  # SPDX identifier of the weights
    language: list[str]  # ISO 639-1
    description: str


class Report(Params):
    section: ClassVar[str] = "report"

    title: str
    examples: Annotated[int, Meta(ge=0)]  # held-out questions shown with every model's answer
