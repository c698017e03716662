"""Tools of every vendor are read as OpenAI spells them, with all that they say, or refused."""

from typing import Any

import pytest

from stages.reading.tool_schemas import tools

SCHEMA = {"type": "object", "properties": {"n": {"type": "string"}}}
TOOL = {"type": "function", "function": {"name": "f", "description": "d", "parameters": SCHEMA}}
TEXT = '{"type": "object", "properties": {"n": {"type": "string"}}}'


@pytest.mark.parametrize(
    "schema",
    [
        TOOL,
        {"function": TOOL["function"]},
        TOOL["function"],
        {"type": "function", "name": "f", "description": "d", "parameters": SCHEMA},  # OpenAI's Responses
        {"type": "function", "function": None, "name": "f", "description": "d", "parameters": SCHEMA},
        {"name": "f", "description": "d", "input_schema": SCHEMA},  # Anthropic
        {"name": "f", "description": "d", "parameters": None, "input_schema": SCHEMA},  # of a table with both
        {"name": "f", "description": "d", "inputSchema": SCHEMA},  # MCP
        {"toolSpec": {"name": "f", "description": "d", "inputSchema": {"json": SCHEMA}}},  # Bedrock
        {"functionDeclarations": [{"name": "f", "description": "d", "parameters": SCHEMA}]},  # Gemini
        {"function_declarations": [{"name": "f", "description": "d", "parametersJsonSchema": SCHEMA}]},
        {"name": "f", "description": "d", "parameters": TEXT},
        {"name": "f", "description": "d", "parameters": {"type": "object", "properties": '{"n": {"type": "string"}}'}},
        {"name": "f", "description": "d", "parameters": {**SCHEMA, "properties": {"n": '{"type": "string"}'}}},
    ],
)
def test_each_spelling_is_read_as_one(schema: dict[str, Any]) -> None:
    assert tools({"tools": [schema]}) == [TOOL]
    assert list(tools({"tools": [schema]})[0]["function"]) == ["name", "description", "parameters"]


def test_texts_inside_a_schema_that_are_no_schema_stay() -> None:
    schema = {"properties": {"a": "string", "b": {"items": '{"enum": ["{}"]}', "default": "{}"}}, "anyOf": ['{"a": 1}']}
    read = {"properties": {"a": "string", "b": {"items": {"enum": ["{}"]}, "default": "{}"}}, "anyOf": [{"a": 1}]}

    assert tools({"tools": [{"name": "f", "parameters": schema}]})[0]["function"]["parameters"] == read


def test_what_a_tool_says_beside_its_function_is_kept() -> None:
    assert tools({"functions": [{"type": "function", "name": "f", "strict": True, "title": "F"}]}) == [
        {"type": "function", "function": {"name": "f", "strict": True, "title": "F"}}
    ]
    assert tools({"tools": [{"type": "function", "function": {"name": "f"}, "cache": 1}]}) == [
        {"type": "function", "cache": 1, "function": {"name": "f"}}
    ]


def test_several_functions_of_one_object_are_several_tools() -> None:
    declared = [{"functionDeclarations": [{"name": "f"}, {"name": "g"}]}, {"functionDeclarations": [{"name": "h"}]}]

    assert [tool["function"]["name"] for tool in tools({"tools": declared})] == ["f", "g", "h"]


@pytest.mark.parametrize("said", [None, "", " \n", [], {}, "[]", float("nan")])
def test_what_says_nothing_is_no_tool(said: Any) -> None:
    assert tools({"tools": said}) == []


@pytest.mark.parametrize(
    ("schemas", "message"),
    [
        ([{"type": "web_search"}], "tools: an object of type has no name: want {"),
        ([{}], "tools: an object of nothing has no name: want {"),
        ([{"type": "function", "function": {"parameters": {}}}], "tools: an object of parameters has no name: want {"),
        ([{"name": " ", "parameters": {}}], "tools: an object of name, parameters has no name: want {"),
        (["f(x): adds"], "Expecting value"),
        ([3], "tools: 3: want JSON schemas"),
        ({"f": {"description": "d"}}, "tools: an object: want a list of JSON schemas"),
        ([{"name": "f", "parameters": SCHEMA, "input_schema": {"a": 1}}], "parameters and input_schema differ: want"),
        ([{"functionDeclarations": [{"name": "f"}], "googleSearch": {"a": 1}}],
         "tools: functionDeclarations with googleSearch: want a list of functions"),
        ([{"functionDeclarations": "f"}], "tools: functionDeclarations with a text: want a list of functions"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_an_error(schemas: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError)) as raised:
        tools({"tools": schemas})

    assert str(raised.value).startswith(message)
