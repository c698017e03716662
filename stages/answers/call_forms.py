"""The forms in which chat templates teach calls of tools: a table of patterns, each with what reads a match of it.

Looked up in the templates of the models and in vLLM's tool parsers. Values that a form writes without their type, as
Qwen3-Coder does, get it from the tool's schema.
"""

import ast
import json
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from stages.answers import json_answer
from stages.reading import python_literals
from stages.reading.unread import empty

Tools = Sequence[dict[str, Any]]
ARGUMENTS = ("arguments", "parameters")
CALL_FIELDS = {"name", *ARGUMENTS, "id", "type", "function"}
BARE_KEY = re.compile(r"([{,]\s*)([^\s\"{}\[\],:][^{}\[\],:]*?)\s*:")  # Gemma's
NONE = re.compile(r"(?<=[:,\[])\s*None\b")
JSON_NAMES = {"true": True, "false": False, "null": None}  # which some templates write in Python's place


class Call(NamedTuple):
    """A call of a tool; of one that cannot be read the name is "", and the arguments are what was written."""

    name: str
    arguments: Any


class Form(NamedTuple):
    """How some models write calls."""

    pattern: re.Pattern[str]  # of one call, or of several, with their marks
    read: Callable[[re.Match[str], Tools], list[Call]]


def parameters(name: str, tools: Tools) -> dict[str, Any]:
    """The schema of a tool's arguments; {} if there is none."""
    functions = [tool["function"] if isinstance(tool.get("function"), dict) else tool for tool in tools]
    schemas = [function.get("parameters") for function in functions if function.get("name") == name]
    return next((schema for schema in schemas if isinstance(schema, dict)), {})


def unmarked(text: str) -> list[Call]:
    """Calls of a text without marks that consists of nothing else, as JSON or in Python; [] for any other text."""
    start = text.lstrip()[:1]
    values = json_answer.parse_all(text) if start in ("{", "[") else None
    calls = [_json_call(value, with_arguments=True) for value in values or ()]
    if calls and None not in calls:
        return calls
    return _python_calls(text) or [] if start == "[" else []


def _json(match: re.Match[str], tools: Tools) -> list[Call]:
    values = json_answer.parse_all(match[1])
    return [_json_call(value) or Call("", value) for value in values] if values else [Call("", match[1].strip())]


def _json_call(value: Any, with_arguments: bool = False) -> Call | None:
    """The call that a JSON object is; also in OpenAI's form, inside `function` and with arguments as text.

    Args:
        with_arguments: only if it has them, though they be none: without marks {"name": "Rome"} is an answer.
    """
    if not isinstance(value, dict) or not value.keys() <= CALL_FIELDS:
        return None
    if isinstance(value.get("function"), dict):
        value = value["function"]
    if not isinstance(value.get("name"), str) or (with_arguments and value.keys().isdisjoint(ARGUMENTS)):
        return None
    arguments = _arguments(next((value[name] for name in ARGUMENTS if not empty(value.get(name))), None))
    return None if arguments is None else Call(value["name"], arguments)


def _arguments(value: Any) -> dict[str, Any] | None:
    """The arguments of a call, also written as JSON; {} if they say nothing, as in rows; None for any other value."""
    if isinstance(value, str) and not empty(value):
        try:
            value = json_answer.STRICT.decode(value)
        except (ValueError, RecursionError):
            return None
    if empty(value):
        return {}
    return value if isinstance(value, dict) else None


def _named(match: re.Match[str], tools: Tools) -> list[Call]:
    """A name, and its arguments as JSON."""
    return [_call(match, match["arguments"])]


def _call(match: re.Match[str], arguments: str) -> Call:
    read = _arguments(arguments)
    return Call("", match[0].strip()) if read is None else Call(match["name"], read)


def _tagged(pattern: str) -> Callable[[re.Match[str], Tools], list[Call]]:
    """A reader of a name and of arguments, each in a tag that `pattern` finds; or as JSON, if there is no tag."""
    tag = re.compile(pattern, re.DOTALL)

    def read(match: re.Match[str], tools: Tools) -> list[Call]:
        body = match["arguments"] or ""
        tagged_texts = {tagged["key"].strip(): tagged["value"] for tagged in tag.finditer(body)}
        if body.strip() and not tagged_texts:
            return _named(match, tools)
        properties = parameters(match["name"], tools).get("properties") or {}
        return [Call(match["name"], {key: _typed(value, properties.get(key)) for key, value in tagged_texts.items()})]

    return read


def _typed(text: str, schema: Any) -> Any:
    """The value that a schema makes of a text: the text itself only if it may be one."""
    declared = schema.get("type") if isinstance(schema, dict) else None
    types = declared if isinstance(declared, list) else [declared]
    if types == ["string"]:
        return text
    for read in (json_answer.STRICT.decode, _python_literal):  # Python's True, which some templates write
        try:
            value = read(text.strip())
        except python_literals.UNREADABLE:
            continue
        return text if "string" in types and value is not None else value
    return text


def _gemma(match: re.Match[str], tools: Tools) -> list[Call]:
    """JSON with bare keys, and with strings in Gemma's own quotes."""
    pieces = re.split(r'<escape>|<\|"\|>', match["arguments"])
    for place, piece in enumerate(pieces):
        if place % 2:
            pieces[place] = json.dumps(piece)
        else:
            piece = BARE_KEY.sub(lambda key: f"{key[1]}{json.dumps(key[2])}:", piece)
            pieces[place] = NONE.sub("null", piece)
    return [_call(match, "".join(pieces))]


def _python(match: re.Match[str], tools: Tools) -> list[Call]:
    return _python_calls(match[1]) or [Call("", match[1].strip())]


def _python_calls(text: str) -> list[Call] | None:
    """The calls that a text of Python consists of, in a list or a line each; None for any other text."""
    try:
        try:
            body = python_literals.parse(text.strip(), "exec").body
        except SyntaxError:  # some templates leave new lines in strings as they are
            body = python_literals.parse(text.strip().replace("\n", "\\n"), "exec").body
        if not all(isinstance(statement, ast.Expr) for statement in body):
            return None
        nodes = [statement.value for statement in body]
        nodes = [item for node in nodes for item in (node.elts if isinstance(node, ast.List) else [node])]
        calls = []
        for node in nodes:
            if not isinstance(node, ast.Call) or node.args or not isinstance(node.func, ast.Name | ast.Attribute):
                return None
            values = {argument.arg: _python_value(argument.value) for argument in node.keywords}
            if None in values:  # **arguments
                return None
            calls.append(Call(ast.unparse(node.func), values))
    except python_literals.UNREADABLE:
        return None
    return calls


def _python_literal(text: str) -> Any:
    return _python_value(python_literals.parse(text, "eval").body)


def _python_value(node: ast.expr) -> Any:
    """The value of a literal, in JSON's types; also with JSON's own names."""

    class Names(ast.NodeTransformer):
        def visit_Name(self, name: ast.Name) -> ast.expr:
            return ast.Constant(JSON_NAMES[name.id]) if name.id in JSON_NAMES else name

    return python_literals.json_value(Names().visit(node))


def _form(pattern: str, read: Callable[[re.Match[str], Tools], list[Call]]) -> Form:
    return Form(re.compile(pattern, re.DOTALL), read)


FORMS = {  # whose templates teach it -> form
    "Qwen3-Coder, Qwen3.5, Nemotron; Llama": _form(
        r"(?:<tool_call>\s*)?<function=(?P<name>[^>\s]+)>(?P<arguments>.*?)(?:</function>|(?=</tool_call>)|\Z)"
        r"\s*(?:</tool_call>)?",
        _tagged(r"<parameter=(?P<key>[^>]+)>\n?(?P<value>.*?)\n?(?:</parameter>|(?=<parameter=)|\Z)"),
    ),
    "GLM": _form(
        r"<tool_call>\s*(?P<name>[^\s<{\[]+)\s*(?P<arguments>(?:<arg_key>.*?)?)(?:</tool_call>|\Z)",
        _tagged(r"<arg_key>(?P<key>.*?)</arg_key>\s*<arg_value>(?P<value>.*?)(?:</arg_value>|\Z)"),
    ),
    "Hermes, Qwen, SmolLM": _form(r"<tool_call>(.*?)(?:</tool_call>|\Z)", _json),
    "Mistral, by name": _form(
        r"\[TOOL_CALLS\]\s*(?P<name>[^\s\[{]+)\s*(?:\[CALL_ID\]\s*\S*?)?\s*\[ARGS\](?P<arguments>.*?)"
        r"(?=\[TOOL_CALLS\]|\Z)",
        _named,
    ),
    "Mistral": _form(r"\[TOOL_CALLS\](.*?)(?=\[TOOL_CALLS\]|\Z)", _json),
    "DeepSeek": _form(
        r"(?:<｜tool▁calls▁begin｜>\s*)?<｜tool▁call▁begin｜>(?:function<｜tool▁sep｜>(?!\s*\{))?(?P<name>.+?)\s*"
        r"(?:<｜tool▁sep｜>|```(?:json)?)\s*(?P<arguments>.*?)\s*(?:```\s*)?(?:<｜tool▁call▁end｜>|\Z)\s*(?:<｜tool▁calls▁end｜>)?",
        _named,
    ),
    "DeepSeek-V3.2, MiniMax": _form(
        r"(?:<[^<>\s]*(?:function_calls|tool_calls?)>\s*)?<(?:｜DSML｜)?invoke name=\"(?P<name>[^\"]+)\">"
        r"(?P<arguments>.*?)(?:</(?:｜DSML｜)?invoke>|\Z)\s*(?:</[^<>\s]*(?:function_calls|tool_calls?)>)?",
        _tagged(
            r"<(?:｜DSML｜)?parameter name=\"(?P<key>[^\"]+)\"[^>]*>(?P<value>.*?)(?:</(?:｜DSML｜)?parameter>|\Z)"
        ),
    ),
    "Kimi": _form(
        r"(?:<\|tool_calls_section_begin\|>\s*)?<\|tool_call_begin\|>\s*(?:functions\.)?(?P<name>.+?)(?::\d+)?\s*"
        r"<\|tool_call_argument_begin\|>\s*(?P<arguments>.*?)\s*(?:<\|tool_call_end\|>|\Z)\s*"
        r"(?:<\|tool_calls_section_end\|>)?",
        _named,
    ),
    "Gemma": _form(
        r"(?:<start_function_call>|<\|tool_call>)call:(?P<name>[^{\s]+)\s*(?P<arguments>\{.*?)"
        r"(?:<end_function_call>|<tool_call\|>|\Z)",
        _gemma,
    ),
    "LFM2, Llama 4": _form(
        r"(?:<\|tool_call_start\|>|<\|python_start\|>)(.*?)(?:<\|tool_call_end\|>|<\|python_end\|>|\Z)", _python
    ),
    "Olmo": _form(r"<function_calls>(.*?)(?:</function_calls>|\Z)", _python),
    "Phi, Granite, Hunyuan": _form(
        r"(?:<\|tool_call\|>|<tool_calls>)(.*?)(?:<\|/tool_call\|>|</tool_calls>|\Z)", _json
    ),
    "Llama": _form(r"<\|python_tag\|>(.*)", _json),
}  # fmt: skip
# Tokens of these forms, and of reasoning. Runtimes print them even where a tokenizer holds them to be special.
MARKS = (
    "<tool_call>", "</tool_call>", "[TOOL_CALLS]", "[CALL_ID]", "[ARGS]", "<｜tool▁calls▁begin｜>",
    "<｜tool▁calls▁end｜>", "<｜tool▁call▁begin｜>", "<｜tool▁call▁end｜>", "<｜tool▁sep｜>",
    "<|tool_calls_section_begin|>", "<|tool_calls_section_end|>", "<|tool_call_begin|>", "<|tool_call_end|>",
    "<|tool_call_argument_begin|>", "<start_function_call>", "<end_function_call>", "<escape>", "<|tool_call>",
    "<tool_call|>", '<|"|>', "<|tool_call_start|>", "<|tool_call_end|>", "<|python_start|>", "<|python_end|>",
    "<|tool_call|>", "<|/tool_call|>", "<tool_calls>", "</tool_calls>", "<|python_tag|>", "<think>", "</think>",
)  # fmt: skip
