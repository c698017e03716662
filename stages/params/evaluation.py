"""Evaluation: suites of held-out rows, and the gates that models must pass."""

from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from modelmake.params import Params
from stages.params.numbers import Positive

AnswerMetric = Literal[
    "exact_match", "tool_call", "final_number", "valid_json", "schema", "slot_f1", "label_accuracy", "compact"
]


class Suite(Params, tag_field="rows", tag="chat"):
    """A suite of held-out chats, `data/splits/test/<suite>.jsonl`, that models answer."""

    section: ClassVar[str] = "suites.{suite}"

    max_new_tokens: Positive
    batch_size: Positive
    metrics: list[AnswerMetric]
    label: str | None  # field of the JSON answer that holds the label; null: answers are not JSON
    slots: list[str]  # other fields of the JSON answer, each scored by F1
    answer_schema: dict[str, Any] | None  # JSON Schema of an answer; null: none

    def problems(self) -> list[str]:
        return [
            f"{name} = null: want a value: {metric} needs it"
            for name, metric in (("label", "label_accuracy"), ("answer_schema", "schema"))
            if metric in self.metrics and getattr(self, name) is None
        ]

    def modules(self) -> list[str]:
        return [f"stages.evaluating.metrics.{name}" for name in self.metrics]


class PairSuite(Suite, tag="pair"):
    """A suite of held-out pairs, whose prompts models answer; the chosen answer is the expected one."""


class TextSuite(Params, tag_field="rows", tag="text"):
    """A suite of held-out texts, whose tokens models predict from the tokens before them."""

    section: ClassVar[str] = "suites.{suite}"

    batch_size: Positive
    context_tokens: Positive  # size of the windows that longer texts are read in; at most the model's own context
    metrics: list[Literal["bits_per_byte", "token_accuracy"]]

    def modules(self) -> list[str]:
        return [f"stages.evaluating.metrics.{name}" for name in self.metrics]


AnswerSuite = Suite | PairSuite
AnySuite = AnswerSuite | TextSuite


class Evaluate(Params):
    section: ClassVar[str] = "evaluate"

    models: list[str]  # `base` or names of steps
    suites: list[str]


class Gate(Params):
    """Passes if `metric` of `model` is `bound` or better, or better than that of `against` by `bound` or more.

    The metric declares whether higher or lower is better (docs/metrics.md). With `against` a negative bound allows
    a loss.
    Metrics are named as in reports/metrics.json: `<metric>` in compare.suite, `<suite>.<metric>` in other suites.
    """

    model: str
    metric: str
    against: str | None
    bound: float


class Compare(Params):
    section: ClassVar[str] = "compare"

    suite: str  # its metrics have no prefix in reports/metrics.json
    baseline: str
    bootstrap_samples: Positive
    confidence: Annotated[float, Meta(gt=0, lt=1)]
    seed: int
    min_rows: Positive  # gates on fewer rows fail
    gates: dict[str, Gate]
