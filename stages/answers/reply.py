"""What an answer says: its text and its calls of tools, read from the turn of a row or from what a model wrote."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from stages.answers import call_forms
from stages.answers.call_forms import Call
from stages.rows.row import Message


class Reply(NamedTuple):
    text: str  # without reasoning and calls
    calls: Sequence[Call] = ()
    tools: Sequence[dict[str, Any]] = ()  # schemas of the tools that could be called
    prompt: str = ""  # of an expected reply: the dialogue before it, as people read it


def of_turns(turns: list[Message], tools: list[dict[str, Any]]) -> Reply:
    """The reply of the turns of an answer. Calls that are written into their text count as well."""
    written = parse("\n".join(turn.content for turn in turns), tools)
    calls = [Call(call.function.name, call.function.arguments) for turn in turns for call in turn.tool_calls]
    return written._replace(calls=[*written.calls, *calls])


def parse(answer: str, tools: list[dict[str, Any]]) -> Reply:
    """The reply that a model wrote, in any of the forms that chat templates teach; unmarked, where there are tools."""
    text, calls, words, at = without_reasoning(answer), [], [], 0
    while matches := [(form, match) for form in call_forms.FORMS.values() if (match := form.pattern.search(text, at))]:
        form, match = min(matches, key=lambda pair: pair[1].start())  # of those at one place the first of the table
        calls += form.read(match, tools)
        words.append(text[at : match.start()])
        at = match.end()
    if calls:
        return Reply("".join([*words, text[at:]]).strip(), calls, tools)
    calls = call_forms.unmarked(text) if tools else []
    return Reply("" if calls else text, calls, tools)


def without_reasoning(answer: str) -> str:
    """What follows the reasoning, whether `<think>` is in the answer or was in the prompt."""
    reasoning, end, text = answer.partition("</think>")
    return text.lstrip() if end and (reasoning.lstrip().startswith("<think>") or "<think>" not in reasoning) else answer
