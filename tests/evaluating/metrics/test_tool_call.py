"""Calls of tools beside the expected ones: `tool_call`, and what other metrics make of calls."""

from types import ModuleType
from typing import Any

import pytest

from stages.answers.reply import Call, Reply
from stages.evaluating.metrics import (
    compact,
    exact_match,
    final_number,
    label_accuracy,
    schema,
    slot_f1,
    tool_call,
    valid_json,
)
from stages.params.evaluation import Suite

SUITE = Suite(["tool_call"], label="intent", slots=["product"], answer_schema={"type": "object"})
ANSWER = '{"intent": "refund", "product": "kettle"}'
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


def weather(**arguments: Any) -> Call:
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
    ("one", "other", "same"),
    [
        # as the Berkeley leaderboard has it
        ("New-York, USA", "new york usa", True),
        ("gpt-4", "GPT 4", True),
        ("1,000", "1000", True),
        ("12,345,678", "12345678", True),
        ("555 1234", "5551234", True),
        ("it's", 'it"s', True),
        ("in 2023.", "in 2023", True),
        ("a/b_c", "abc", True),
        # unlike it: a number keeps its sign, its point and what stands between it and the next
        ("1.5", "15", False),
        (".5", "5", False),
        ("-5", "5", False),
        ("- 5", "-5", True),
        ("at -5 degrees", "at 5 degrees", False),
        ("1,5", "15", False),
        ("1/2", "12", False),
        ("1 / 2", "1/2", True),
        ("10-20", "1020", False),
        ("2^-3", "2^3", False),
        ("2023-01-15", "2023-01-15", True),
        ("2023-01-15", "2023-0115", False),
        ("v1.10", "v11.0", False),
    ],
)
def test_strings_match_without_case_and_signs_but_for_those_of_numbers(one: str, other: str, same: bool) -> None:
    scores = tool_call.score(
        Reply("", [weather(city=one)], TOOLS), Reply("", [weather(city=other)], TOOLS), SUITE
    )  # fmt: skip

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
    scores = metric.score(Reply("", [ROME], TOOLS), Reply(ANSWER, [], TOOLS), SUITE)

    assert scores and set(scores.values()) == {(0, 0)}
