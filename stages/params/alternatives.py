"""Alternatives to a fine-tune: models that answer by instructions, examples, bound by a schema, or at an endpoint."""

from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from modelmake.params import Params
from stages.params.answering import Greedy
from stages.params.augmentation import Endpoint
from stages.params.machine import Machine
from stages.params.numbers import Amount, Positive

NO_EXAMPLES = "recipes/no_examples.json"  # DVC wants a path: this file stands for none


class Similar(Params, tag_field="choose", tag="similar"):
    """To each question the examples whose questions share most of its letters; the most alike comes last."""

    n: Positive


class Seeded(Params, tag_field="choose", tag="seeded"):
    """To all questions the same examples, by a hash of the seed and their ids."""

    n: Positive
    seed: int


Shots = Similar | Seeded
Schema = Annotated[dict[str, Any], Meta(min_length=1)]


class _Alternative(Params):
    section: ClassVar[str] = "alternatives.{alternative}"
    FILE: ClassVar = "."

    model: str  # path of what answers
    examples: str  # path of JSONL rows to choose examples from, or NO_EXAMPLES
    shots: Shots | None  # null: none are shown
    instructions: Annotated[str, Meta(min_length=1)] | None  # a system message before all; null: none

    def problems(self) -> list[str]:
        if self.shots and self.examples == NO_EXAMPLES:
            return [f"examples = {self.examples!r}: want rows of training for shots, or shots: null"]
        if not self.shots and self.examples != NO_EXAMPLES:
            return [f"examples = {self.examples!r}: want {NO_EXAMPLES}, as no shots are chosen"]
        return []

    def limit(self, answering: Greedy) -> str:
        """What cuts an answer that is too long."""
        return f"max_new_tokens = {answering.max_new_tokens}"


class ByTransformers(_Alternative, tag_field="runtime", tag="transformers"):
    """A model folder, in transformers."""

    answer_schema: Schema | None  # JSON Schema by whose grammar answers are bound; null: they are free

    def problems(self) -> list[str]:
        free = self.shots is None and self.instructions is None and self.answer_schema is None
        alone = ["shots = null: want shots, instructions or answer_schema: else this is what `answer` asks"]
        return [*super().problems(), *(alone if free else [])]

    def modules(self) -> list[str]:
        return [f"stages.evaluating.runtimes.{'guided' if self.answer_schema else 'transformers'}"]

    def settings(self, answering: Greedy, machine: Machine) -> dict[str, Any]:
        """Keyword arguments of the runtime's `generate`."""
        bound = {"schema": self.answer_schema} if self.answer_schema else {}
        return {
            "max_new_tokens": answering.max_new_tokens, "batch_size": answering.batch_size, "device": machine.device,
            "dtype": machine.dtype, **bound,
        }  # fmt: skip


class ByLlamaCpp(_Alternative, tag_field="runtime", tag="llama_cpp"):
    """A folder with model.gguf, in llama.cpp."""

    FILE: ClassVar = "model.gguf"

    answer_schema: Schema | None
    context_tokens: Positive  # of prompt and answer together

    def modules(self) -> list[str]:
        return ["stages.evaluating.runtimes.llama_cpp"]

    def settings(self, answering: Greedy, machine: Machine) -> dict[str, Any]:
        """Keyword arguments of the runtime's `generate`."""
        return {
            "max_new_tokens": answering.max_new_tokens, "threads": machine.threads,
            "context_tokens": self.context_tokens, "schema": self.answer_schema,
        }  # fmt: skip


class Asked(Endpoint):
    """An endpoint, and how it is asked."""

    api: Literal["openai", "anthropic"]  # chat completions, or Anthropic's messages
    temperature: Amount | None  # null: not sent
    seed: int | None  # of sampling; null: not sent
    parallel: Positive  # concurrent requests

    def problems(self) -> list[str]:
        if self.api == "anthropic" and self.seed is not None:
            return [*super().problems(), f"seed = {self.seed}: want null: Anthropic's messages have none"]
        return super().problems()


class ByEndpoint(_Alternative, tag_field="runtime", tag="endpoint"):
    """A model behind an endpoint, such as the best one that there is."""

    model: Literal["recipes/no_model.json"]  # none here
    endpoint: Asked

    answer_schema: ClassVar[None] = None

    def modules(self) -> list[str]:
        return ["stages.evaluating.runtimes.endpoint"]

    def limit(self, answering: Greedy) -> str:
        """What cuts an answer that is too long."""
        return f"endpoint.max_tokens = {self.endpoint.max_tokens}"

    def settings(self, answering: Greedy, machine: Machine) -> dict[str, Any]:
        """Keyword arguments of the runtime's `generate`."""
        return {"endpoint": self.endpoint}


Alternative = ByTransformers | ByLlamaCpp | ByEndpoint
