"""A query is answered by its calls, whether they and the tools are lists or the JSON of lists."""

import json
from typing import Any

import pytest

from stages.reading.formats import READERS, function_calls
from stages.rows.row import Chat, Function, Message, ToolCall

TOOLS = [{"name": "f", "parameters": {"n": {"type": "int"}}}]
CALLS = [{"name": "f", "arguments": {"n": 1}}, {"name": "f", "arguments": {"n": 2}}]


@pytest.mark.parametrize("encode", [json.dumps, lambda value: value])
def test_calls_are_the_answer(encode: Any) -> None:
    record = {"id": 3, "context": "c", "query": "u", "tools": encode(TOOLS), "answers": encode(CALLS)}

    calls = [ToolCall(Function("f", {"n": n}), "function") for n in (1, 2)]
    assert [name for name, reader in READERS.items() if reader.matches(record.keys())] == ["function_calls"]
    assert function_calls.read(record) == Chat(
        [Message("user", "c\n\nu"), Message("assistant", "", calls)], [{"type": "function", "function": TOOLS[0]}]
    )


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ("{}", "answers: an object: want a list of calls"),
        ('[{"name": "f", "arguments": {}, "score": 1}]', "tool call with score: want name and arguments"),
    ],
)
def test_what_is_no_list_of_calls_is_refused(answers: str, said: str) -> None:
    with pytest.raises((TypeError, ValueError)) as error:
        function_calls.read({"query": "u", "tools": TOOLS, "answers": answers})

    assert str(error.value) == said
