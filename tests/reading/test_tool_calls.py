"""Calls of tools in every vendor's spelling become one, with all that they say, or are refused."""

from typing import Any

import pytest

from stages.reading.tool_calls import tool_call
from stages.rows.row import Function, ToolCall

CALL = ToolCall(Function("f", {"n": 1}), "function", "7")


@pytest.mark.parametrize(
    "call",
    [
        {"id": "7", "type": "function", "function": {"name": "f", "arguments": {"n": 1}}},
        {"id": "7", "type": "function", "function": {"name": "f", "arguments": '{"n": 1}'}},
        {"id": 7, "name": "f", "arguments": {"n": 1}, "function": None},
        {"id": "7", "type": "tool_call", "name": "f", "args": {"n": 1}},  # LangChain
        {"id": "7", "type": "tool_use", "name": "f", "input": {"n": 1}},  # Anthropic
        {"id": "7", "name": "f", "parameters": {"n": 1}},  # Llama
        {"id": "fc", "call_id": "7", "type": "function_call", "name": "f", "arguments": '{"n": 1}'},  # Responses
        {"functionCall": {"name": "f", "args": {"n": 1}}, "id": "7"},  # Gemini
        '{"id": "7", "name": "f", "arguments": {"n": 1}, "input": null}',
    ],
)
def test_each_spelling_is_one_call(call: Any) -> None:
    assert tool_call(call) == CALL


@pytest.mark.parametrize("nothing", [None, "", " ", "null", "[]", "{}", [], {}])
def test_arguments_that_say_nothing_are_none(nothing: Any) -> None:
    assert tool_call({"name": "f", "arguments": nothing}) == ToolCall(Function("f", {}), "function")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"type": "custom", "name": "f"}, "tool call of type 'custom': want function"),
        ({"function": {"arguments": "{}"}}, "a call of arguments has no name: want name and arguments"),
        ({"name": " "}, "a call of name has no name: want name and arguments"),
        ({}, "a call of nothing has no name: want name and arguments"),
        ({"name": "f", "arguments": {"n": 1}, "args": {"n": 2}}, "arguments and args differ: want one of them"),
        ({"name": "f", "arguments": "[1]"}, "arguments of f: a list: want a JSON object"),
        ({"name": "f", "arguments": 3}, "arguments of f: 3: want a JSON object"),
        ('{"name": "f", "strict": true}', "tool call with strict: want name and arguments"),
        ({"function": '{"name": "f", "strict": true}'}, "tool call with strict: want name and arguments"),
        (3, "tool call: 3: want a JSON object"),
    ],
)  # fmt: skip
def test_what_is_no_call_is_an_error(call: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError)) as raised:
        tool_call(call)

    assert str(raised.value) == message
