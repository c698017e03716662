"""Release: quantized models, their parity with the model that they were made of, the card and the report."""

from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from modelmake.params import Params
from stages.params.evaluation import Suite
from stages.params.machine import Machine
from stages.params.numbers import Fraction, Positive


class Calibration(Params):
    """Training rows for a tool that looks at activations."""

    section: ClassVar[str] = "quantize.{quant}.calibration"

    rows: Literal["chat", "text"]  # their kind
    num_calibration_samples: Positive  # rows


class _Quant(Params, rename={"from_": "from"}):
    section: ClassVar[str] = "quantize.{quant}"

    from_: str  # the model

    def modules(self) -> list[str]:
        return [f"stages.exporting.quantizers.{type(self).__struct_config__.tag}"]


class Gguf(_Quant, tag_field="tool", tag="gguf"):
    """A GGUF file written through the gguf package: no compiler needed. The section's name is its type."""

    TYPES: ClassVar = ("F32", "F16", "Q8_0", "Q5_0", "Q4_0")
    RUNTIMES: ClassVar = ("llama_cpp",)

    calibration: None  # it looks at weights alone


class LlamaCpp(_Quant, tag_field="tool", tag="llama_cpp"):
    """A GGUF file quantized by llama.cpp itself, which envs/llama_cpp compiles at its first use."""

    TYPES: ClassVar = ("Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M")
    RUNTIMES: ClassVar = ("llama_cpp",)

    calibration: None  # it looks at weights alone

    def environments(self) -> list[str]:
        return ["envs/llama_cpp"]


class Llmcompressor(_Quant, tag_field="tool", tag="llmcompressor"):
    """Safetensors in the compressed-tensors format, calibrated on training rows; llmcompressor is in an environment
    of its own. `awq` is W4A16, symmetric, in groups of 128 (Lin et al. 2023, arXiv:2306.00978)."""

    TYPES: ClassVar = ("awq",)
    RUNTIMES: ClassVar = ("compressed_tensors",)

    calibration: Calibration
    max_seq_length: Positive  # tokens of a row; the rest is cut
    device: Literal["cpu", "cuda"]

    def environments(self) -> list[str]:
        return ["envs/llmcompressor"]


Quant = Gguf | LlamaCpp | Llmcompressor


class _Parity(Params):
    """How far the answers of a quantized model may be from those of the model that it was made of."""

    section: ClassVar[str] = "parity.{quant}"

    max_difference: Fraction  # of exact_match
    min_same_answers: Fraction | None  # share of rows that both answer alike; null where no type promises that

    def modules(self) -> list[str]:
        return [f"stages.evaluating.runtimes.{type(self).__struct_config__.tag}"]


class InLlamaCpp(_Parity, tag_field="runtime", tag="llama_cpp"):
    """llama.cpp answers, from a GGUF file."""

    FILE: ClassVar = "model.gguf"

    context_tokens: Positive  # window that llama.cpp is started with

    def settings(self, suite: Suite, machine: Machine) -> dict[str, Any]:
        """What the runtime's `generate` takes."""
        return {
            "max_new_tokens": suite.max_new_tokens,
            "threads": machine.threads,
            "context_tokens": self.context_tokens,
        }


class InCompressedTensors(_Parity, tag_field="runtime", tag="compressed_tensors"):
    """transformers answers, from a folder in the compressed-tensors format."""

    FILE: ClassVar = "."

    def settings(self, suite: Suite, machine: Machine) -> dict[str, Any]:
        """What the runtime's `generate` takes."""
        return {
            "max_new_tokens": suite.max_new_tokens,
            "batch_size": suite.batch_size,
            "device": machine.device,
            "dtype": machine.dtype,
        }


Parity = InLlamaCpp | InCompressedTensors


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
