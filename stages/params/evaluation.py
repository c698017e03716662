"""Evaluation: suites of held-out rows, and the gates that models must pass."""

from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from modelmake.params import Params
from stages.params.numbers import Positive


class Suite(Params, tag_field="rows", tag="chat"):
    """How a file of held-out chats is answered and scored; the file is `data/splits/test/<suite>.jsonl`."""

    section: ClassVar[str] = "suites.{suite}"

    max_new_tokens: Positive
    batch_size: Positive
    metrics: list[
        Literal["exact_match", "final_number", "valid_json", "schema", "slot_f1", "label_accuracy", "compact"]
    ]
    label: str | None  # the field of the answer's JSON that is the label; null where answers are no JSON
    slots: list[str]  # the other fields, scored by F1
    answer_schema: dict[str, Any] | None  # JSON Schema of an answer

    def problems(self) -> list[str]:
        return [
            f"{name} = null: want a value: {metric} needs it"
            for name, metric in (("label", "label_accuracy"), ("answer_schema", "schema"))
            if metric in self.metrics and getattr(self, name) is None
        ]

    def modules(self) -> list[str]:
        return [f"stages.evaluating.metrics.{name}" for name in self.metrics]


class TextSuite(Params, tag_field="rows", tag="text"):
    """How a file of held-out texts is read: every token is predicted from what stands before it."""

    section: ClassVar[str] = "suites.{suite}"

    batch_size: Positive
    context_tokens: Positive  # a longer text is read in windows of these; at most the model's own context
    metrics: list[Literal["bits_per_byte", "token_accuracy"]]

    def modules(self) -> list[str]:
        return [f"stages.evaluating.metrics.{name}" for name in self.metrics]


AnySuite = Suite | TextSuite


class Evaluate(Params):
    section: ClassVar[str] = "evaluate"

    models: list[str]  # `base` and steps
    suites: list[str]


class Gate(Params):
    """`metric` of `model` (or, with `against`, its difference from that model) is at least `min`.

    A metric is named as in reports/metrics.json: `<suite>.<metric>` in suites other than compare.suite.
    """

    model: str
    metric: str
    against: str | None
    min: float


class Compare(Params):
    section: ClassVar[str] = "compare"

    suite: str  # its metrics carry no prefix in reports/metrics.json
    baseline: str
    bootstrap_samples: Positive
    confidence: Annotated[float, Meta(gt=0, lt=1)]
    seed: int
    min_rows: Positive  # a gate on fewer rows fails
    gates: dict[str, Gate]
