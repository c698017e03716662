"""Evaluation: suites of held-out rows, and the gates that models must pass."""

from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta, field

from modelmake.params import Params
from stages.params.judging import Judge
from stages.params.lm_eval import Task
from stages.params.numbers import Positive
from stages.params.variation import Variant

AnswerMetric = Literal[
    "exact_match", "tool_call", "final_number", "pass_at_1", "pass_at_10", "valid_json", "schema", "field_accuracy",
    "slot_f1", "slot_f1_partial", "label_accuracy", "macro_f1", "compact", "rouge_l", "bleu", "bleu_zh", "chrf",
    "refused_allowed", "refused_disallowed", "pii_leaked", "length", "repetition",
]  # fmt: skip
TextMetric = Literal["bits_per_byte", "perplexity", "token_accuracy"]
OF_SUITES = ("macro_f1", "bleu", "bleu_zh", "pass_at_10")  # say little of one answer, so they are no rewards
SAMPLES = {"pass_at_10": 10}  # {metric: how many answers to a row it needs at least}
NEEDS = (  # (field, the metrics that read it)
    ("label", ("label_accuracy", "macro_f1")),
    ("slots", ("slot_f1", "slot_f1_partial")),
    ("answer_schema", ("schema", "field_accuracy")),
)


class Suite(Params, tag_field="rows", tag="chat"):
    """A suite of held-out chats, `data/splits/test/<suite>.jsonl`, that models answer."""

    section: ClassVar[str] = "suites.{suite}"

    metrics: list[AnswerMetric]
    label: str | None  # field of the JSON answer that holds the label; null: answers are not JSON
    slots: list[str]  # other fields of the JSON answer, each scored by F1
    answer_schema: dict[str, Any] | None  # JSON Schema of an answer; null: none

    def problems(self) -> list[str]:
        problems = []
        for name, readers in NEEDS:
            value, used = getattr(self, name), [metric for metric in readers if metric in self.metrics]
            if value is None or value == []:
                found, wanted = ("null", "a value") if value is None else ("[]", "names of fields")
                problems += [f"{name} = {found}: want {wanted}: {metric} needs it" for metric in used]
        properties = None if self.answer_schema is None else self.answer_schema.get("properties")
        has_fields = self.answer_schema is None or (properties and isinstance(properties, dict))
        if "field_accuracy" in self.metrics and not has_fields:
            problems.append("answer_schema.properties: has no fields: want those that field_accuracy measures")
        return problems

    def modules(self) -> list[str]:
        return [f"stages.evaluating.metrics.{name}" for name in self.metrics]


def of_rewards(step: Any) -> Suite:
    """The metrics among the rewards of a step, as `evaluate` measures them."""
    return Suite(step.metrics(), step.label, step.slots, step.answer_schema)


class PairSuite(Suite, tag="pair"):
    """A suite of held-out pairs, whose prompts models answer; the chosen answer is the expected one."""


class TextSuite(Params, tag_field="rows", tag="text"):
    """A suite of held-out texts, whose tokens models predict from the tokens before them."""

    section: ClassVar[str] = "suites.{suite}"

    metrics: list[TextMetric]

    def modules(self) -> list[str]:
        return [f"stages.evaluating.metrics.{name}" for name in self.metrics]


AnswerSuite = Suite | PairSuite
AnySuite = AnswerSuite | TextSuite


class Evaluate(Params):
    section: ClassVar[str] = "evaluate"

    models: list[str]  # `base` or names of steps
    suites: list[str]
    variants: dict[str, Variant] = field(default_factory=dict)  # {suite: how its rows are made}; may be missing
    tasks: dict[str, Task] = field(default_factory=dict)  # of lm-eval; may be missing, as in an older params.yaml
    judge: dict[str, Judge] = field(default_factory=dict)  # {suite: who marks its answers}; may be missing too

    def measured(self) -> list[str]:
        """The names under which models have scores: suites, variants and tasks."""
        return [*self.answered(), *self.tasks]

    def answered(self) -> list[str]:
        """The names of the suites that models answer here: those of `split`, and variants."""
        return [*self.suites, *self.variants]


class Gate(Params):
    """Allows if `metric` of `model` is shown to be `bound` or better, or better than that of `against` by it or more.

    The metric declares whether higher or lower is better (docs/metrics.md). With `against` a negative bound allows
    a loss.
    Metrics are named as in reports/metrics.json: `<metric>` in compare.suite, `<suite>.<metric>` in other suites.
    """

    model: str
    metric: str
    against: str | None
    bound: float
    where: dict[str, Any] | None  # {field of the expected answer, JSON: its value}: only rows like this; null: all
    warn: float | None = None  # a better bound: what is not shown to meet it is allowed with a warning; may be missing


class Compare(Params):
    section: ClassVar[str] = "compare"

    suite: str  # its metrics have no prefix in reports/metrics.json
    baseline: str
    bootstrap_samples: Positive  # also of permutations; the least p-value is 1 / (samples + 1)
    confidence: Annotated[float, Meta(gt=0, lt=1)]  # 1 - confidence: error budget of each suite
    looks: Positive  # builds that share the error budget of a suite's rows
    power: Annotated[float, Meta(gt=0.5, lt=1)]  # with which the smallest effect of a gate is shown
    seed: int
    min_rows: Positive  # gates on fewer rows are INCONCLUSIVE
    gates: dict[str, Gate]
    # {model: others that differ by `seed` alone}: the noise of training; may be missing
    seeds: dict[str, list[str]] = field(default_factory=dict)
