"""Every metric, compared with values counted by hand."""

import importlib
import re
import typing
from types import ModuleType

import pytest

from stages.evaluating import json_answer, metrics, reply
from stages.evaluating.metrics import (
    bits_per_byte,
    compact,
    exact_match,
    final_number,
    label_accuracy,
    schema,
    slot_f1,
    token_accuracy,
    tool_call,
    valid_json,
)
from stages.evaluating.reply import Call, Reply
from stages.evaluating.text_likelihood import TextLikelihood
from stages.params.evaluation import Suite, TextSuite
from tests.conftest import ROOT

SUITE = Suite(
    max_new_tokens=64,
    batch_size=1,
    metrics=["exact_match"],
    label="intent",
    slots=["product", "urgency"],
    answer_schema={
        "type": "object",
        "properties": {"intent": {"type": "string"}, "urgency": {"enum": ["low", "high"]}},
        "required": ["intent"],
        "additionalProperties": False,
    },
)


def score(metric: ModuleType, expected: str, answer: str, suite: Suite = SUITE) -> dict[str, tuple[float, float]]:
    """The scores of answers in text, to a question without tools."""
    return metric.score(reply.parse(expected, []), reply.parse(answer, []), suite)


EXPECTED = '{"intent": "refund", "product": "kettle", "urgency": "low"}'
DEEP = "[" * 100_000


@pytest.mark.parametrize(
    ("expected", "answer", "hits"),
    [
        (EXPECTED, EXPECTED, 1),
        (EXPECTED, '{"urgency":"low","product":"kettle","intent":"refund"}', 1),
        (EXPECTED, f"\n {EXPECTED} ", 1),
        (EXPECTED, EXPECTED.replace("low", "high"), 0),
        (EXPECTED, EXPECTED.replace("low", "Low"), 0),
        (EXPECTED, f"Here it is: {EXPECTED}", 0),
        (EXPECTED, EXPECTED[:-1], 0),
        (EXPECTED, "", 0),
        ("[1, 2]", "[2, 1]", 0),
        ('{"n": 1}', '{"n": true}', 0),
        ('{"n": 1}', '{"n": 1.0}', 1),
        ('{"n": [1, {"m": 0}]}', '{"n": [1.0, {"m": 0.0}]}', 1),
        ('{"n": [1, {"m": 0}]}', '{"n": [1, {"m": false}]}', 0),
        ('{"n": "1"}', '{"n": 1}', 0),
        ('{"n": null}', "{}", 0),
        ("[1, 2]", "[1]", 0),
        ("[]", "{}", 0),
        ("in two days", " in two days\n", 1),
        ("in two days", "in two  days", 0),
        ("in two days", '"in two days"', 0),
        ("null", "null", 1),
        ("null", "", 0),
    ],
)
def test_exact_match_compares_values_if_json_is_expected_and_text_otherwise(
    expected: str, answer: str, hits: int
) -> None:
    assert score(exact_match, expected, answer) == {"exact_match": (hits, 1)}


@pytest.mark.parametrize(
    ("answer", "hits"),
    [("{}", 1), ("[1]", 1), ("3", 1), (EXPECTED, 1), ("{'a': 1}", 0), ("", 0), ("{} {}", 0), ("NaN", 0), (DEEP, 0)],
)
def test_valid_json_counts_answers_that_any_json_parser_accepts(answer: str, hits: int) -> None:
    assert score(valid_json, "", answer) == {"valid_json": (hits, 1)}


@pytest.mark.parametrize(
    ("answer", "hits"),
    [
        ('{"intent": "x"}', 1),
        ('{"urgency": "low", "intent": "x"}', 1),
        ('{"intent": "x", "urgency": "soon"}', 0),
        ('{"intent": 1}', 0),
        ('{"urgency": "low"}', 0),
        ('{"intent": "x", "more": 1}', 0),
        ('["intent"]', 0),
        ("no json", 0),
        ("null", 0),
    ],
)
def test_schema_counts_answers_that_are_valid_under_the_suites_schema(answer: str, hits: int) -> None:
    assert score(schema, EXPECTED, answer) == {"schema": (hits, 1)}


@pytest.mark.parametrize(
    ("answer", "hits"),
    [
        ('{"intent": "refund"}', 1),
        ('{"intent": "Refund"}', 0),
        ('{"product": "kettle"}', 0),
        ('{"intent": ["refund"]}', 0),
        ('"refund"', 0),
        ("refund", 0),
    ],
)
def test_label_accuracy_compares_the_label_field_alone(answer: str, hits: int) -> None:
    assert score(label_accuracy, EXPECTED, answer) == {"label_accuracy": (hits, 1)}


def test_no_answer_has_the_right_label_if_none_is_expected() -> None:
    assert score(label_accuracy, "{}", "{}") == {"label_accuracy": (0, 1)}


@pytest.mark.parametrize(
    ("expected", "answer", "product", "urgency"),
    [
        # 2TP / (2TP + FP + FN): a hit counts 2 of 2, a wrong value 0 of 2, a slot that only one side has 0 of 1
        (EXPECTED, EXPECTED, (2, 2), (2, 2)),
        (EXPECTED, '{"product": "kettle", "urgency": "high"}', (2, 2), (0, 2)),
        (EXPECTED, '{"urgency": "low"}', (0, 1), (2, 2)),
        (EXPECTED, "no json", (0, 1), (0, 1)),
        ('{"intent": "x"}', EXPECTED, (0, 1), (0, 1)),
        ('{"intent": "x"}', '{"intent": "x"}', (0, 0), (0, 0)),
        ('{"product": null}', '{"product": null}', (2, 2), (0, 0)),
    ],
)
def test_slot_f1_counts_each_slot_separately(
    expected: str, answer: str, product: tuple[int, int], urgency: tuple[int, int]
) -> None:
    assert score(slot_f1, expected, answer) == {"slot_f1.product": product, "slot_f1.urgency": urgency}


@pytest.mark.parametrize(
    ("answer", "hits"),
    [
        ('{"b":1,"a":[1,2]}', 1),
        (' {"b":1}\n', 1),
        ('{"b": 1}', 0),
        ('{"a":[1, 2]}', 0),
        ('{"a":"é"}', 1),
        ('{"a":"\\u00e9"}', 0),
        ("not json", 0),
        ("", 0),
    ],
)
def test_compact_counts_minified_json_with_any_order_of_keys(answer: str, hits: int) -> None:
    assert score(compact, EXPECTED, answer) == {"compact": (hits, 1)}


@pytest.mark.parametrize(("answer", "hit"), [("true", 1), ("1", 0), ("1.0", 0), ('"true"', 0), ("false", 0)])
def test_a_boolean_is_no_number(answer: str, hit: int) -> None:
    suite = Suite(8, 1, ["slot_f1"], label="ok", slots=["ok"], answer_schema=None)

    expected, answer = '{"ok": true}', f'{{"ok": {answer}}}'
    assert score(slot_f1, expected, answer, suite) == {"slot_f1.ok": (2 * hit, 2)}
    assert score(label_accuracy, expected, answer, suite) == {"label_accuracy": (hit, 1)}
    assert score(exact_match, expected, answer, suite) == {"exact_match": (hit, 1)}


def test_values_are_compared_as_deep_as_they_are_parsed() -> None:
    deep, other = ("[" * 900 + number + "]" * 900 for number in ("1", "2"))

    assert score(exact_match, deep, deep) == {"exact_match": (1, 1)}
    assert score(exact_match, deep, other) == {"exact_match": (0, 1)}


@pytest.mark.parametrize("answer", ["", "x", "[1]", '"text"', "null", "{", DEEP])
def test_an_answer_that_is_no_json_object_has_no_fields(answer: str) -> None:
    assert json_answer.fields(answer) == {}


def test_fields_are_those_of_the_object() -> None:
    assert json_answer.fields('{"a": 1, "b": [2]}') == {"a": 1, "b": [2]}


@pytest.mark.parametrize(
    ("expected", "answer", "hits"),
    [
        ("Half of 84 is 42.\n#### 42", "It is 42.\n#### 42", 1),
        ("#### 42", "#### 43", 0),
        ("#### 42", "#### 42.", 1),
        ("#### 42", "#### 42.0", 1),
        ("#### 42", "#### 042", 1),
        ("#### 42", "####42 eggs", 1),
        ("#### 42", "#### 42\n#### 7", 1),
        ("#### 42", "#### 7\n#### 42", 0),
        ("#### 42", "42", 0),
        ("#### 42", "#### forty-two", 0),
        ("#### 42", "####", 0),
        ("#### 42", "#### ,", 0),
        ("#### 42", "#### -42", 0),
        ("#### 42", "#### +42", 1),
        ("#### -5", "#### -5", 1),
        ("#### -5", "#### 5", 0),
        ("#### -5", "#### - 5", 0),
        ("#### 1,234,567", "#### 1234567", 1),
        ("#### 1234567", "#### 1,234,567", 1),
        ("#### 2.5", "#### 2.50", 1),
        ("#### 2.5", "#### 2", 0),
        ("#### 0.5", "#### .5", 1),
        ("#### 42", "#### 4²", 0),
        ("#### 42", f"#### {'9' * 10_000}", 0),
        ("#### 42", "", 0),
        ("no number", "no number", 0),
        ("no number", "#### 42", 0),
    ],
)
def test_final_number_compares_the_number_after_the_first_hashes(expected: str, answer: str, hits: int) -> None:
    assert score(final_number, expected, answer) == {"final_number": (hits, 1)}


def test_bits_per_byte_is_bits_over_bytes_and_token_accuracy_hits_over_tokens() -> None:
    likelihood = TextLikelihood(nats=6.931472, hits=3, tokens=4, bytes=20)  # ten times the natural logarithm of 2

    assert bits_per_byte.score(likelihood) == {"bits_per_byte": (10.0, 20.0)}
    assert token_accuracy.score(likelihood) == {"token_accuracy": (3.0, 4.0)}


TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "parameters": {
                "type": "object",
                "properties": {
                    "city": {"type": "string"},
                    "days": {"type": "integer", "default": 1},
                    "units": {"type": "object"},
                },
                "required": ["city"],
            },
        },
    },
    {"name": "time", "parameters": {"type": "object", "properties": {"zone": {"type": "string", "default": "UTC"}}}},
]
ROME, OSLO, NOW = Call("weather", {"city": "Rome"}), Call("weather", {"city": "Oslo"}), Call("time", {})


def weather(**arguments: typing.Any) -> Call:
    return Call("weather", arguments)


@pytest.mark.parametrize(
    ("expected", "answer", "whole", "names", "arguments"),
    [
        # the whole answer of 1; calls of the name, and of name and arguments, on both sides of all calls on both sides
        ([ROME], [ROME], 1, (2, 2), (2, 2)),
        ([ROME], [OSLO], 0, (2, 2), (0, 2)),
        ([ROME], [NOW], 0, (0, 2), (0, 2)),
        ([ROME], [], 0, (0, 1), (0, 1)),
        ([], [ROME], 0, (0, 1), (0, 1)),
        ([ROME, OSLO], [OSLO, ROME], 1, (4, 4), (4, 4)),
        ([ROME, OSLO], [ROME], 0, (2, 3), (2, 3)),
        ([ROME], [ROME, ROME], 0, (2, 3), (2, 3)),
        ([ROME, ROME], [ROME, OSLO], 0, (4, 4), (2, 4)),
        ([ROME, NOW], [NOW, OSLO], 0, (4, 4), (2, 4)),
        ([ROME], [Call("", "{")], 0, (0, 2), (0, 2)),
    ],
)
def test_tool_call_scores_whole_answers_names_and_arguments_apart(
    expected: list[Call], answer: list[Call], whole: int, names: tuple[int, int], arguments: tuple[int, int]
) -> None:
    scores = tool_call.score(Reply("", expected, TOOLS), Reply("", answer, TOOLS), SUITE)

    assert scores == {"tool_call": (whole, 1), "tool_call.name": names, "tool_call.arguments": arguments}


def test_a_row_without_any_call_does_not_count_in_tool_call() -> None:
    scores = tool_call.score(Reply("It is sunny.", [], TOOLS), Reply("It rains.", [], TOOLS), SUITE)

    assert scores == {"tool_call": (0, 0), "tool_call.name": (0, 0), "tool_call.arguments": (0, 0)}


@pytest.mark.parametrize(
    ("expected", "answer", "same"),
    [
        (weather(city="Rome"), weather(city="rome "), True),
        (weather(city="April 1, 2024"), weather(city="april 1 2024"), True),
        (weather(city="Rome"), weather(city="Romes"), False),
        (weather(city="Rome"), weather(city="Rome", days=1), True),  # the default of an optional argument
        (weather(city="Rome", days=1), weather(city="Rome"), True),
        (weather(city="Rome"), weather(city="Rome", days=2), False),
        (weather(city="Rome", days=2), weather(city="Rome"), False),
        (weather(city="Rome"), weather(days=1), False),  # a required one is missing
        (weather(city="Rome"), weather(city="Rome", wind=True), False),  # one that was not asked for
        (weather(city="Rome", days=3), weather(city="Rome", days=3.0), True),
        (weather(city="Rome", days=3), weather(city="Rome", days="3"), False),
        (weather(city="Rome", days=2), weather(city="Rome", days=True), False),
        (weather(city="Rome", units={"t": ["C", 1]}), weather(city="Rome", units={"t": ["c", 1]}), True),
        (weather(city="Rome", units={"t": ["C", 1]}), weather(city="Rome", units={"t": ["C", True]}), False),
        (Call("time", {"zone": "UTC"}), Call("time", {}), True),
        (Call("time", {}), Call("Time", {}), False),
    ],
)
def test_calls_match_by_required_arguments_types_and_values(expected: Call, answer: Call, same: bool) -> None:
    scores = tool_call.score(Reply("", [expected], TOOLS), Reply("", [answer], TOOLS), SUITE)

    assert scores["tool_call"] == (same, 1)


@pytest.mark.parametrize(
    ("expected", "answer", "hit"),
    [
        (Reply("", [ROME]), Reply("", [ROME]), 1),
        (Reply("", [ROME]), Reply("Let me see.", [ROME]), 1),
        (Reply("", [ROME, OSLO]), Reply("", [OSLO, ROME]), 1),
        (Reply("", [ROME]), Reply("", [weather(city="rome")]), 0),
        (Reply("", [ROME]), Reply(""), 0),
        (Reply("Let me see.", [ROME]), Reply("Let me see."), 0),
        (Reply("", [ROME]), Reply("", [ROME, ROME]), 0),
        (Reply("", [ROME, ROME]), Reply("", [ROME]), 0),
        (Reply("", [weather(wet=True), weather(wet=1)]), Reply("", [weather(wet=1), weather(wet=True)]), 1),
        (Reply("", [weather(wet=True)]), Reply("", [weather(wet=1)]), 0),
        (Reply("Sunny."), Reply("Sunny.", [ROME]), 0),
    ],
)
def test_exact_match_of_calls_compares_the_calls_and_silence_is_wrong(expected: Reply, answer: Reply, hit: int) -> None:
    assert exact_match.score(expected, answer, SUITE) == {"exact_match": (hit, 1)}


@pytest.mark.parametrize("metric", [compact, final_number, label_accuracy, schema, slot_f1, valid_json])
def test_metrics_of_text_leave_out_rows_whose_answer_is_a_call(metric: ModuleType) -> None:
    scores = metric.score(Reply("", [ROME], TOOLS), Reply(EXPECTED, [], TOOLS), SUITE)

    assert scores and set(scores.values()) == {(0, 0)}


def all_metrics() -> list[str]:
    """Names of every metric that params.yaml may name."""
    fields = (typing.get_type_hints(suite)["metrics"] for suite in (Suite, TextSuite))
    return [name for field in fields for name in typing.get_args(typing.get_args(field)[0])]


def test_every_module_of_a_metric_can_be_named_in_params() -> None:
    folder = ROOT / "stages/evaluating/metrics"

    assert sorted(all_metrics()) == sorted(path.stem for path in folder.glob("[a-z]*.py"))


def test_docs_have_direction_range_and_source_of_every_metric() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.+?) \| .+ \| (.+?) \|$", (ROOT / "docs/metrics.md").read_text(), re.M)

    declared = {name: importlib.import_module(f"stages.evaluating.metrics.{name}").METRIC for name in all_metrics()}
    assert rows == [
        (name, m.better, f"{m.least:g} or more" if m.most is None else f"{m.least:g} to {m.most:g}", m.source)
        for name, m in declared.items()
    ]


def test_every_score_of_a_suite_is_declared_in_its_order() -> None:
    suite = Suite(8, 1, ["valid_json", "slot_f1", "schema"], label=None, slots=["a", "b"], answer_schema={})

    assert list(metrics.declared(suite)) == ["valid_json", "slot_f1.a", "slot_f1.b", "schema"]
    assert {m.better for m in metrics.declared(suite).values()} == {"higher"}
    assert metrics.declared(TextSuite(1, 8, ["bits_per_byte"]))["bits_per_byte"].better == "lower"
