"""Turns of every vendor, with calls of tools and their results, become canonical ones, or are refused."""

from typing import Any

import pytest

from stages.reading.formats import READERS
from stages.rows.row import Chat, Content, Function, Message, ToolCall

SYSTEM, USER, ASSISTANT = (Message(role, role[0]) for role in ("system", "user", "assistant"))
CALL, CALL_7 = ToolCall(Function("f", {"n": 1}), "function"), ToolCall(Function("f", {"n": 1}), "function", "7")
TOOLS = [{"type": "function", "function": {"name": "f"}}]
TURNS = [{"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}]


@pytest.mark.parametrize(
    ("name", "record", "content"),
    [
        *(
            (name, {name_of: exchanges}, Chat([USER, ASSISTANT, USER, ASSISTANT]))
            for name, name_of in (("messages", "messages"), ("sharegpt", "conversations"))
            for exchanges in (
                [{"human": "u", "assistant": "a"}] * 2,
                [{"id": 3, "bot": "a", "user": "u"}] * 2,
                [["u", "a"]] * 2,
                [["user", "u"], ["assistant", "a"]] * 2,
                [["Human:", "u"], ["GPT", "a"]] * 2,
                [{"user": "u"}, {"assistant": "a"}] * 2,
                [{"input": "u", "output": "a"}, *TURNS],
            )
        ),
        ("messages", {"messages": [["system", "s"], *TURNS]}, Chat([SYSTEM, USER, ASSISTANT])),
        (
            "alpaca",
            {"instruction": "u", "output": "a", "history": [["user", "u"], ["assistant", "a"]]},
            Chat([USER, ASSISTANT, USER, ASSISTANT]),
        ),
        (
            "sharegpt",
            {
                "conversations": [
                    {"system": "s", "input": "u", "output": "a"},
                    {"system": "", "input": "u", "output": "a"},
                ]
            },
            Chat([SYSTEM, USER, ASSISTANT, USER, ASSISTANT]),
        ),
        (
            "messages",
            {
                "system": [{"type": "text", "text": "s"}],
                "messages": [
                    TURNS[0],
                    {"role": "assistant", "content": [{"type": "tool_use", "id": "7", "name": "f", "input": {"n": 1}}]},
                    {
                        "role": "user",
                        "content": [
                            {"type": "tool_result", "tool_use_id": "7", "content": "2"},
                            {"type": "text", "text": "u"},
                        ],
                    },
                    TURNS[1],
                ],
            },
            Chat(
                [SYSTEM, USER, Message("assistant", "", [CALL_7]), Message("tool", "2", [], "", "7"), USER, ASSISTANT]
            ),
        ),
        (
            "messages",
            {
                "messages": [
                    TURNS[0],
                    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "r"}]},
                    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "a"}]},
                    {"type": "function_call", "call_id": "7", "name": "f", "arguments": '{"n": 1}'},
                    {"type": "function_call", "call_id": "8", "name": "g", "arguments": "null"},
                    {"type": "function_call_output", "call_id": "7", "output": "2"},
                    {"type": "reasoning", "summary": []},
                    TURNS[1],
                ]
            },
            Chat(
                [
                    USER,
                    Message("assistant", "a", [CALL_7, ToolCall(Function("g", {}), "function", "8")], "", "", "r"),
                    Message("tool", "2", [], "", "7"),
                    ASSISTANT,
                ]
            ),
        ),
        (
            "messages",
            {
                "messages": [
                    {"type": "human", "content": "u"},
                    {
                        "type": "ai",
                        "content": "",
                        "tool_calls": [{"name": "f", "args": {"n": 1}, "id": "7", "type": "tool_call"}],
                        "additional_kwargs": {
                            "tool_calls": [{"id": "7", "function": {"name": "f", "arguments": '{"n":1}'}}]
                        },
                    },
                    {"type": "tool", "content": "2", "name": "f", "tool_call_id": "7"},
                    {"type": "ai", "content": "a"},
                ]
            },
            Chat([USER, Message("assistant", "", [CALL_7]), Message("tool", "2", [], "f", "7"), ASSISTANT]),
        ),
        (
            "gemini",
            {
                "systemInstruction": {"role": "user", "parts": [{"text": "s"}]},
                "contents": [
                    {"role": "user", "parts": [{"text": "u"}]},
                    {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"n": 1}}}]},
                    {"role": "function", "parts": [{"functionResponse": {"name": "f", "response": {"n": 2}}}]},
                    {"role": "model", "parts": [{"text": "a"}]},
                ],
                "tools": [{"functionDeclarations": [{"name": "f"}]}],
            },
            Chat(
                [SYSTEM, USER, Message("assistant", "", [CALL]), Message("tool", '{"n": 2}', [], "f"), ASSISTANT], TOOLS
            ),
        ),
    ],
)
def test_turns_of_other_vendors_are_read(name: str, record: dict[str, Any], content: Content) -> None:
    assert [n for n, reader in READERS.items() if reader.matches(record.keys())] == [name]
    assert READERS[name].read(record) == content


@pytest.mark.parametrize(
    ("name", "record", "message"),
    [
        (
            "messages",
            {"messages": [{"type": "web_search_call", "id": "x"}]},
            'a turn of type \'web_search_call\': want a message, such as {"role", "content"}',
        ),
        (
            "messages",
            {"messages": [["narrator", "n"], ["user", "u"], ["assistant", "a"]]},
            "'user' is a role and 'narrator' is none: want roles in all turns",
        ),
        (
            "messages",
            {"messages": [{"type": "human", "data": {"content": "u"}}]},
            'a turn of type, data has no content: want a message, such as {"role", "content"}',
        ),
        (
            "messages",
            {"messages": [TURNS[0], {"role": "assistant", "content": [{"type": "tool_result", "content": "1"}]}]},
            "results of tools in a turn of role assistant: want them in one of role user or tool",
        ),
        (
            "messages",
            {
                "messages": [
                    TURNS[0],
                    {**TURNS[1], "tool_calls": [{"name": "f"}], "additional_kwargs": {"tool_calls": [{"name": "g"}]}},
                ]
            },
            "tool_calls and additional_kwargs differ: want one of them",
        ),
    ],
)
def test_a_turn_that_no_row_can_hold_is_an_error(name: str, record: dict[str, Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError)) as raised:
        READERS[name].read(record)

    assert str(raised.value) == message
