"""Evaluation: suites of held-out rows, and the gates that models must pass."""

from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from modelmake.params import Params

Positive = Annotated[int, Meta(ge=1)]


class Suite(Params):
    """How a file of held-out rows is answered and scored; the file is `data/splits/test/<suite>.jsonl`."""

    section: ClassVar[str] = "suites.{suite}"

    max_new_tokens: Positive
    batch_size: Positive
    metrics: list[Literal["exact_match", "valid_json", "schema", "slot_f1", "label_accuracy", "compact"]]
    label: str  # the field of the answer's JSON that is the label
    slots: list[str]  # the other fields, scored by F1
    answer_schema: dict[str, Any]  # JSON Schema of an answer

    def problems(self) -> list[str]:
        import jsonschema

        try:
            jsonschema.Draft202012Validator.check_schema(self.answer_schema)
        except jsonschema.SchemaError as error:
            return [f"answer_schema.{error.json_path.removeprefix('$').removeprefix('.')}: {error.message}"]
        return []

    def modules(self) -> list[str]:
        return [f"stages.metrics.{name}" for name in self.metrics]


class Evaluate(Params):
    section: ClassVar[str] = "evaluate"

    models: list[str]  # `base` and steps
    suites: list[str]


class Gate(Params):
    """`metric` of `model` (or, with `against`, its difference from that model) is at least `min`."""

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
