"""Answering: how models answer the held-out rows of a suite. How the answers are scored is in evaluation.py, so that
another metric generates nothing anew.
"""

from typing import Annotated, Any, ClassVar

from msgspec import Meta

from modelmake.params import Params
from stages.params.machine import Machine
from stages.params.numbers import Positive, Rate


class Greedy(Params, tag_field="kind", tag="greedy"):
    """One answer to each row: the most likely token each time."""

    section: ClassVar[str] = "answer.{suite}"

    max_new_tokens: Positive
    batch_size: Positive  # answers in bfloat16 depend on it


class Sampled(Params, tag_field="kind", tag="sampled"):
    """Several answers to each row, drawn token by token; draws follow from seed, row and number of the answer."""

    section: ClassVar[str] = "answer.{suite}"

    max_new_tokens: Positive
    batch_size: Positive  # answers of rows, not rows
    num_return_sequences: Positive  # answers to each row
    temperature: Rate
    top_k: Positive | None  # null: all tokens
    top_p: Annotated[float, Meta(gt=0, le=1)]  # 1: all tokens
    seed: int


class Likelihood(Params, tag_field="kind", tag="likelihood"):
    """How likely each text is, token by token."""

    section: ClassVar[str] = "answer.{suite}"

    batch_size: Positive
    context_tokens: Positive  # size of the windows that longer texts are read in; at most the model's own context


Answering = Greedy | Sampled | Likelihood


class _InRuntime(Params):
    """What answers the rows of compare.suite from a quantized file."""

    section: ClassVar[str] = "answer_quantized.{quant}"

    def modules(self) -> list[str]:
        return [f"stages.evaluating.runtimes.{type(self).__struct_config__.tag}"]


class InLlamaCpp(_InRuntime, tag_field="runtime", tag="llama_cpp"):
    """llama.cpp, from a GGUF file."""

    FILE: ClassVar = "model.gguf"

    context_tokens: Positive  # of prompt and answer together

    def settings(self, answer: Greedy, machine: Machine) -> dict[str, Any]:
        """Keyword arguments of the runtime's `generate`."""
        return {
            "max_new_tokens": answer.max_new_tokens,
            "threads": machine.threads,
            "context_tokens": self.context_tokens,
        }

    def reading(self, machine: Machine) -> dict[str, Any]:
        """Keyword arguments of the runtime's `reading`."""
        return {"threads": machine.threads}

    def reference(self, machine: Machine) -> dict[str, Any]:
        """Where, and in which type, the model is read that the file was made from: llama.cpp here uses no GPU."""
        return {"device": "cpu", "dtype": "float32"}


class InCompressedTensors(_InRuntime, tag_field="runtime", tag="compressed_tensors"):
    """transformers, from a folder in the compressed-tensors format."""

    FILE: ClassVar = "."

    def settings(self, answer: Greedy, machine: Machine) -> dict[str, Any]:
        """Keyword arguments of the runtime's `generate`."""
        return {
            "max_new_tokens": answer.max_new_tokens,
            "batch_size": answer.batch_size,
            "device": machine.device,
            "dtype": machine.dtype,
        }

    def reading(self, machine: Machine) -> dict[str, Any]:
        """Keyword arguments of the runtime's `reading`."""
        return {"device": machine.device, "dtype": machine.dtype}

    reference = reading


class InBitsandbytes(InCompressedTensors, tag_field="runtime", tag="bitsandbytes"):
    """transformers, from a folder that bitsandbytes packed."""


Runtime = InLlamaCpp | InCompressedTensors | InBitsandbytes
