"""What an answer says: its text and its calls of tools, read from the turn of a row or from what a model wrote."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from stages.evaluating import json_answer
from stages.rows.row import Message

# Tokens that say what an answer consists of. Runtimes print them even where a tokenizer holds them to be special.
MARKS = ("<tool_call>", "</tool_call>", "[TOOL_CALLS]", "[CALL_ID]", "[ARGS]", "<|python_tag|>", "<think>", "</think>")
HERMES = re.compile(r"<tool_call>(.*?)(?:</tool_call>|\Z)", re.DOTALL)
MISTRAL = re.compile(r"\[TOOL_CALLS\]\s*((?:(?!\[TOOL_CALLS\]).)*)", re.DOTALL)
MISTRAL_CALL = re.compile(r"([^\s\[{]+)\s*(?:\[CALL_ID\]\s*\S*?)?\s*\[ARGS\](.*)", re.DOTALL)
CALL_FIELDS = {"name", "arguments", "parameters", "id", "type", "function"}


class Call(NamedTuple):
    """A call of a tool; one that cannot be read has no name, and what was written as its arguments."""

    name: str
    arguments: Any


class Reply(NamedTuple):
    text: str  # without reasoning and calls
    calls: Sequence[Call] = ()
    tools: Sequence[dict[str, Any]] = ()  # schemas of the tools that could be called


def of_turns(turns: list[Message], tools: list[dict[str, Any]]) -> Reply:
    """The reply of the turns of an answer. Calls that are written into their text count as well."""
    written = parse("\n".join(turn.content for turn in turns), tools)
    calls = [Call(call.function.name, call.function.arguments) for turn in turns for call in turn.tool_calls]
    return written._replace(calls=[*written.calls, *calls])


def parse(answer: str, tools: list[dict[str, Any]]) -> Reply:
    """The reply that a model wrote, in any of the forms that chat templates teach.

    `<tool_call>{"name": …, "arguments": …}</tool_call>` (Hermes, Qwen), `[TOOL_CALLS][{…}]` and
    `[TOOL_CALLS]name[ARGS]{…}` (Mistral), `<|python_tag|>{"name": …, "parameters": …}` (Llama), and, where there are
    tools, such JSON alone.
    """
    text = without_reasoning(answer)
    for form, read in ((HERMES, _marked), (MISTRAL, _mistral)):
        if bodies := form.findall(text):
            return Reply(form.sub("", text).strip(), [call for body in bodies for call in read(body)], tools)
    before, python_tag, after = text.partition("<|python_tag|>")
    if python_tag:
        return Reply(before.strip(), _marked(after), tools)
    calls = _bare(text) if tools else []
    return Reply("" if calls else text, calls, tools)


def without_reasoning(answer: str) -> str:
    """What follows the reasoning, whether `<think>` is in the answer or was in the prompt."""
    reasoning, end, text = answer.partition("</think>")
    return text.lstrip() if end and (reasoning.lstrip().startswith("<think>") or "<think>" not in reasoning) else answer


def of_text(hit: bool, expected: Reply) -> tuple[float, float]:
    """(1 or 0, 1) of a metric of text; (0, 0) where a call is expected, so that the row does not count."""
    return (float(hit), 1.0) if not expected.calls else (0.0, 0.0)


def _marked(body: str) -> list[Call]:
    """Calls of a body that is said to hold some."""
    values = json_answer.parse_all(body)
    return [_call(value) or Call("", value) for value in values] if values else [Call("", body.strip())]


def _mistral(body: str) -> list[Call]:
    if named := MISTRAL_CALL.match(body):
        arguments = json_answer.parse(named[2])
        return [Call("", body.strip()) if arguments is None else Call(named[1], arguments)]
    return _marked(body)


def _bare(text: str) -> list[Call]:
    """Calls of a text that consists of nothing else; [] for any other text."""
    values = json_answer.parse_all(text) if text.lstrip()[:1] in ("{", "[") else None
    calls = [_call(value) for value in values or ()]
    return [] if None in calls else calls


def _call(value: Any) -> Call | None:
    """The call that a JSON object is; also in OpenAI's form, inside `function` and with arguments as text."""
    if not isinstance(value, dict) or not value.keys() <= CALL_FIELDS:
        return None
    if isinstance(value.get("function"), dict):
        value = value["function"]
    arguments = value.get("arguments", value.get("parameters"))
    if isinstance(arguments, str):
        arguments = json_answer.parse(arguments)
    if not isinstance(value.get("name"), str) or not isinstance(arguments, dict):
        return None
    return Call(value["name"], arguments)
