"""What answers look like, and the metrics that fit: JSON, few short answers, numbers, code with tests, other texts."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from stages.answers.json_answer import parse
from stages.evaluating.metrics import final_number
from stages.evaluating.metrics.macro_f1 import MOST_LABELS
from stages.evaluating.running_code import code_blocks
from stages.evaluating.words import words
from stages.proposing.names import LABEL
from stages.proposing.shapes import MOST

LABEL_CHARS = 64  # of a label; longer values are free text
LABEL_ROWS = 3  # rows of a label on average, or the values are no labels
ENUM_VALUES = 10  # more are not listed in the schema


PROSE = ["rouge_l", "chrf", "exact_match", "length", "repetition", "refused_allowed"]  # metrics of texts


class Form(NamedTuple):
    """The form of answers, as fields of a suite of chats, and of `clean.labels`."""

    reason: str
    metrics: list[str]
    main: str  # the metric that gates judge
    label: str | None = None
    slots: Sequence[str] = ()
    answer_schema: dict[str, Any] | None = None
    labels: dict[str, Any] | None = None


def form(answers: list[str], calls: int = 0) -> Form:
    """The form of the answers, given all of them, of which `calls` call tools."""
    if calls:
        said = f"{calls} of {len(answers)} answers call tools"
        if 2 * calls > len(answers):
            return Form(said, ["tool_call", "exact_match"], "tool_call")
        texts = form([answer for answer in answers if answer])  # an answer that only calls has no text
        if texts.answer_schema is None:
            return texts._replace(reason=f"{said}; other {texts.reason}", metrics=[*texts.metrics, "tool_call"])
        return Form(f"{said}, others are JSON", ["exact_match", "tool_call"], "exact_match")
    values = [value for answer in answers if isinstance(value := parse(answer), dict)]
    if values and len(values) >= MOST * len(answers):
        return _json_form(values)
    if sum(final_number.number(answer) is not None for answer in answers) >= MOST * len(answers):
        return Form("answers end in #### and a number", ["final_number", "exact_match"], "final_number")
    if sum(isinstance(parse(answer), int | float) for answer in answers) >= MOST * len(answers):
        return Form("answers are numbers: right is the same text", ["exact_match"], "exact_match")
    distinct = Counter(answers)
    if _are_labels(distinct):
        labels = {"field": None, "max_chars": LABEL_CHARS, "max_rows": None}
        return Form(f"{len(distinct)} short answers: each is a label", ["exact_match"], "exact_match", labels=labels)
    if sum(bool(code_blocks.tests(answer)) for answer in answers) >= MOST * len(answers):
        return Form("answers hold code and its tests, which are run", ["pass_at_1", "exact_match"], "pass_at_1")
    if not any(words(answer) for answer in answers):
        return Form("answers are texts without words: right is the same text", ["exact_match"], "exact_match")
    return Form("answers are texts: those that share words with the expected one are nearly right", PROSE, "rouge_l")


def _json_form(values: list[dict[str, Any]]) -> Form:
    texts = {name: [v[name] for v in values if isinstance(v.get(name), str)] for name in _names(values)}
    labels = [name for name, found in texts.items() if len(found) >= MOST * len(values) and _are_labels(Counter(found))]
    label = min(labels, key=lambda name: LABEL.index(name) if name in LABEL else len(LABEL), default=None)
    slots = [name for name in _names(values) if name != label and not any(isinstance(v.get(name), list | dict)
                                                                          for v in values)]  # fmt: skip
    few = label is not None and len(set(texts[label])) <= MOST_LABELS
    metrics = ["exact_match", "valid_json", "schema", "field_accuracy", *(["slot_f1"] if slots else []),
               *(["label_accuracy"] if label else []), *(["macro_f1"] if few else [])]  # fmt: skip
    said = f"answers are JSON of {', '.join(_names(values))}" + (f"; {label} is the label" if label else "")
    return Form(
        said, metrics, "label_accuracy" if label else "exact_match", label, slots, schema(values),
        {"field": label, "max_chars": LABEL_CHARS, "max_rows": None} if label else None,
    )  # fmt: skip


def _names(values: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for value in values for name in value))


def _are_labels(values: Counter[str]) -> bool:
    short = all(len(value) <= LABEL_CHARS and "\n" not in value for value in values)
    return short and len(values) > 1 and values.total() >= LABEL_ROWS * len(values)


def schema(values: list[Any]) -> dict[str, Any]:
    """The narrowest JSON Schema of a few keywords that all values have."""
    types = list(dict.fromkeys(_type(value) for value in values))
    if set(types) == {"integer", "number"}:
        types = ["number"]
    found: dict[str, Any] = {"type": types[0] if len(types) == 1 else sorted(types)}
    if objects := [value for value in values if isinstance(value, dict)]:
        names = _names(objects)
        found["properties"] = {name: schema([value[name] for value in objects if name in value]) for name in names}
        found["required"] = [name for name in names if all(name in value for value in objects)]
        found["additionalProperties"] = False
    if items := [item for value in values if isinstance(value, list) for item in value]:
        found["items"] = schema(items)
    if types == ["string"]:
        distinct = Counter(values)
        if len(distinct) <= ENUM_VALUES and _are_labels(distinct):
            return {"enum": sorted(distinct)}
    return found


def _type(value: Any) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "null")
