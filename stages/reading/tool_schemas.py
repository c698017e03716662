"""Schemas of tools in the spellings of vendors, read as OpenAI's: {"type": "function", "function": {"name", …}}.

A schema, its parameters and their properties may be given as JSON. All that a schema says is kept.
"""

from typing import Any

from stages.reading.spellings import one_of
from stages.reading.text_values import json_object, json_value, type_name
from stages.reading.unread import empty

FIELDS = ("tools", "functions")
WRAPPERS = ("function", "toolSpec")  # the field that has name and parameters: OpenAI's chats, Bedrock
FLAT_TYPES = ("function", "custom")  # of schemas without such a field: OpenAI's Responses, Anthropic
PARAMETERS = (
    "parameters",  # OpenAI, Gemini
    "input_schema",  # Anthropic
    "inputSchema",  # MCP; Bedrock, in an object of the field "json"
    "parametersJsonSchema", "parameters_json_schema",  # Gemini
)  # fmt: skip
LISTS = ("functionDeclarations", "function_declarations")  # of the schemas of several functions: Gemini
WANTED = 'want {"type": "function", "function": {"name", "description", "parameters"}}'
# Where a JSON schema has other ones.
INNER, INNER_LISTS, INNER_MAPS = ("items", "not"), ("anyOf", "oneOf", "allOf", "prefixItems"), ("properties", "$defs")


def tools(record: dict[str, Any]) -> list[dict[str, Any]]:
    """The tools of a record ("tools" or "functions", a list or its JSON).

    Raises:
        TypeError, ValueError: they are no list, or one of them cannot be read.
    """
    schemas = one_of(record, FIELDS)
    if empty(schemas):
        return []
    if isinstance(schemas, str):
        schemas = json_value(schemas)
    if not isinstance(schemas, list):
        raise TypeError(f"tools: {type_name(schemas)}: want a list of JSON schemas")
    return [tool for schema in schemas for tool in _tools(schema)]


def _tools(schema: Any) -> list[dict[str, Any]]:
    if not isinstance(schema, dict | str):
        raise TypeError(f"tools: {type_name(schema)}: want JSON schemas")
    schema = json_object(schema, "tools")
    functions = one_of(schema, LISTS)
    if empty(functions):
        return [_tool(schema)]
    others = [name for name, value in schema.items() if name not in LISTS and not empty(value)]
    if others or not isinstance(functions, list):
        what = ", ".join(others) or type_name(functions)
        raise ValueError(f"tools: {LISTS[0]} with {what}: want a list of functions")
    return [_tool(json_object(function, "tools")) for function in functions]


def _tool(schema: dict[str, Any]) -> dict[str, Any]:
    wrapper = next((name for name in WRAPPERS if not empty(schema.get(name))), "")
    if wrapper:
        beside = {name: value for name, value in schema.items() if name != wrapper}
        function = json_object(schema[wrapper], wrapper)
    else:
        function = {name: value for name, value in schema.items() if name not in WRAPPERS}
        beside = {"type": function.pop("type")} if function.get("type") in FLAT_TYPES else {}
    if not isinstance(function.get("name"), str) or empty(function["name"]):
        raise ValueError(f"tools: an object of {', '.join(function) or 'nothing'} has no name: {WANTED}")
    return {**beside, "type": "function", "function": _with_parameters(function)}


def _with_parameters(function: dict[str, Any]) -> dict[str, Any]:
    """A function with its parameters under the one name that templates read."""
    parameters = one_of(function, PARAMETERS)
    if isinstance(parameters, str):
        parameters = json_object(parameters, "parameters")
    if isinstance(parameters, dict) and parameters.keys() == {"json"}:
        parameters = json_object(parameters["json"], "parameters")
    names = [name for name in PARAMETERS if name in function]
    result = {}
    for name, value in function.items():
        if name not in names:
            result[name] = value
        elif "parameters" not in result:
            result["parameters"] = _schema(parameters)
    return result


def _schema(value: Any) -> Any:
    """A JSON schema with objects in place of the texts that hold one."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        value = json_object(value, "parameters")
    if not isinstance(value, dict):
        return value
    value = dict(value)
    for name in value.keys() & {*INNER, *INNER_LISTS, *INNER_MAPS}:
        inner = value[name]
        if name in INNER_MAPS and isinstance(inner, str):
            inner = json_object(inner, name)
        if name in INNER:
            value[name] = _schema(inner)
        elif name in INNER_LISTS and isinstance(inner, list):
            value[name] = [_schema(item) for item in inner]
        elif name in INNER_MAPS and isinstance(inner, dict):
            value[name] = {key: _schema(item) for key, item in inner.items()}
    return value
