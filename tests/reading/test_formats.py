"""Input formats: the records that each matches, and what it makes of them."""

from typing import Any

import pytest

from stages.reading.documents import Document
from stages.reading.formats import READERS
from stages.rows.row import Chat, Content, Function, Judged, Message, Pair, Text, ToolCall

SYSTEM, USER, ASSISTANT = (Message(role, role[0]) for role in ("system", "user", "assistant"))
CALL = ToolCall(Function("f", {"n": 1}), "function")
OTHER, WORSE = Message("assistant", "b"), {"role": "assistant", "content": "b"}
TOOLS = [{"type": "function", "function": {"name": "f"}}]
TURNS = [{"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}]
SYSTEM_TURN, TOLD = ({"role": role, "content": role[0]} for role in ("system", "tool"))
ABOUT = Message("user", "c\n\nu")
LAST = {"role": "user", "content": "v"}


@pytest.mark.parametrize(
    ("name", "record", "content"),
    [
        ("alpaca", {"instruction": "u", "input": "", "output": "a"}, Chat([USER, ASSISTANT])),
        ("alpaca", {"instruction": "u", "output": "a"}, Chat([USER, ASSISTANT])),
        ("alpaca", {"instruction": "u", "input": None, "output": "a", "id": 7}, Chat([USER, ASSISTANT])),
        (
            "alpaca",
            {"system": "s", "instruction": "u", "input": "more", "output": "a"},
            Chat([SYSTEM, Message("user", "u\n\nmore"), ASSISTANT]),
        ),
        (
            "sharegpt",
            {
                "conversations": [
                    {"from": "system", "value": "s"},
                    {"from": "human", "value": "u"},
                    {"from": "gpt", "value": "a"},
                    {"from": "user", "value": "u"},
                    {"from": "assistant", "value": "a"},
                ]
            },
            Chat([SYSTEM, USER, ASSISTANT, USER, ASSISTANT]),
        ),
        (
            "alpaca",
            {"instruction": "u", "input": "", "output": "a", "history": [["u", "a"]]},
            Chat([USER, ASSISTANT, USER, ASSISTANT]),
        ),
        (
            "sharegpt",
            {
                "system": "s",
                "conversations": [
                    {"from": "human", "value": "u"},
                    {"from": "function_call", "value": '{"name": "f", "arguments": {"n": 1}}'},
                    {"from": "observation", "value": "2"},
                    {"from": "gpt", "value": "a"},
                ],
                "tools": '[{"name": "f"}]',
            },
            Chat(
                [SYSTEM, USER, Message("assistant", "", [CALL]), Message("tool", "2"), ASSISTANT],
                [{"type": "function", "function": {"name": "f"}}],
            ),
        ),
        ("sharegpt", {"conversations": TURNS, "tools": ""}, Chat([USER, ASSISTANT])),
        ("messages", {"messages": TURNS, "source": "x"}, Chat([USER, ASSISTANT])),
        (
            "messages",
            {"messages": [{"role": "developer", "content": [{"type": "text", "text": "s"}]}, *TURNS], "tools": None},
            Chat([SYSTEM, USER, ASSISTANT]),
        ),
        (
            "messages",
            {
                "messages": [
                    {"role": "user", "content": "u", "name": None},
                    {
                        "role": "assistant",
                        "content": None,
                        "tool_calls": [
                            {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"n": 1}'}}
                        ],
                    },
                    {"role": "tool", "content": "2", "tool_call_id": "1", "name": "f"},
                    TURNS[1],
                ],
                "tools": [{"type": "function", "function": {"name": "f"}}],
            },
            Chat(
                [
                    USER,
                    Message("assistant", "", [ToolCall(CALL.function, "function", "1")]),
                    Message("tool", "2", name="f", tool_call_id="1"),
                    ASSISTANT,
                ],
                [{"type": "function", "function": {"name": "f"}}],
            ),
        ),
        (
            "messages",
            {"messages": [TURNS[0], {"role": "assistant", "function_call": {"name": "f", "arguments": {"n": 1}}}]},
            Chat([USER, Message("assistant", "", [CALL])]),
        ),
        (
            "pairs",
            {"prompt": "u", "chosen": "a", "rejected": "b"},
            Pair([USER], [ASSISTANT], [Message("assistant", "b")]),
        ),
        (
            "pairs",
            {"prompt": TURNS[:1], "chosen": TURNS[1:], "rejected": "b", "score": 1},
            Pair([USER], [ASSISTANT], [OTHER]),
        ),
        ("pairs", {"chosen": TURNS, "rejected": [TURNS[0], WORSE]}, Pair([USER], [ASSISTANT], [OTHER])),
        (
            "pairs",
            {"chosen": [*TURNS, *TURNS], "rejected": [*TURNS, TURNS[0], WORSE], "prompt": None},
            Pair([USER, ASSISTANT, USER], [ASSISTANT], [OTHER]),
        ),
        ("pairs", {"prompt": "u", "chosen": TURNS, "rejected": [TURNS[0], WORSE]}, Pair([USER], [ASSISTANT], [OTHER])),
        (
            "pairs",
            {"system": "s", "prompt": "u", "chosen": TURNS, "rejected": [TURNS[0], WORSE]},
            Pair([SYSTEM, USER], [ASSISTANT], [OTHER]),
        ),
        (
            "pairs",
            {
                "chosen": "\n\nHuman: u\n\nAssistant: a\n\nHuman: u\n\nAssistant: a",
                "rejected": "\n\nHuman: u\n\nAssistant: a\n\nHuman: u\n\nAssistant: b",
            },
            Pair([USER, ASSISTANT, USER], [ASSISTANT], [OTHER]),
        ),
        (
            "pairs",
            {"prompt": "\n\nHuman: u\n\nAssistant: a\n\nHuman: u\n\nAssistant:", "chosen": "a", "rejected": "b"},
            Pair([USER, ASSISTANT, USER], [ASSISTANT], [OTHER]),
        ),
        ("completion", {"prompt": "\n\nHuman: u\n\nAssistant:", "completion": "a"}, Chat([USER, ASSISTANT])),
        (
            "pairs",  # Orca's
            {"system": "s", "question": "u", "chosen": "a", "rejected": "b"},
            Pair([SYSTEM, USER], [ASSISTANT], [OTHER]),
        ),
        (
            "pairs",  # UltraFeedback's
            {"prompt": "u", "messages": TURNS, "chosen": TURNS, "rejected": [TURNS[0], WORSE]},
            Pair([USER], [ASSISTANT], [OTHER]),
        ),
        (
            "pairs",  # the system prompt is in the lists alone
            {"prompt": "u", "chosen": [SYSTEM_TURN, *TURNS], "rejected": [SYSTEM_TURN, TURNS[0], WORSE]},
            Pair([SYSTEM, USER], [ASSISTANT], [OTHER]),
        ),
        (
            "pairs",
            {"prompt": "u", "chosen": TURNS, "rejected": "b"},
            Pair([USER], [ASSISTANT], [OTHER]),
        ),
        (
            "pairs",
            {"prompt": "u", "chosen": "a", "rejected": [SYSTEM_TURN, TURNS[0], WORSE]},
            Pair([SYSTEM, USER], [ASSISTANT], [OTHER]),
        ),
        (
            "pairs",
            {"prompt": "u", "context": "c", "chosen": TURNS, "rejected": [TURNS[0], WORSE]},
            Pair([ABOUT], [ASSISTANT], [OTHER]),
        ),
        (
            "pairs",  # the prompt is the first question of several
            {"prompt": "u", "chosen": [*TURNS, *TURNS], "rejected": [*TURNS, TURNS[0], WORSE]},
            Pair([USER, ASSISTANT, USER], [ASSISTANT], [OTHER]),
        ),
        (
            "pairs",  # the prompt is the last question of several
            {"prompt": "v", "system": "s", "chosen": [*TURNS, LAST, TURNS[1]], "rejected": [*TURNS, LAST, WORSE]},
            Pair([SYSTEM, USER, ASSISTANT, Message("user", "v")], [ASSISTANT], [OTHER]),
        ),
        (
            "pairs",  # both answers begin with one call of a tool
            {"prompt": "u", "chosen": [TURNS[1], TOLD, TURNS[1]], "rejected": [TURNS[1], TOLD, WORSE]},
            Pair([USER, ASSISTANT, Message("tool", "t")], [ASSISTANT], [OTHER]),
        ),
        ("text", {"text": "plain"}, Text("plain")),
        ("labelled", {"text": "u", "label": "Ärger"}, Chat([USER, Message("assistant", '{"intent": "Ärger"}')])),
        ("labelled", {"text": "u", "label": "greet"}, Chat([USER, Message("assistant", '{"intent": "greet"}')])),
        ("labelled", {"text": "u", "category": "greet"}, Chat([USER, Message("assistant", '{"intent": "greet"}')])),
        ("qa", {"question": "u", "answer": "a"}, Chat([USER, ASSISTANT])),
        ("qa", {"question": "u", "answer": "a", "context": "c"}, Chat([ABOUT, ASSISTANT])),
        (
            "qa",
            {"question": "u", "answer": "a", "passages": ["c", "", ["d"]]},
            Chat([Message("user", "c\n\nd\n\nu"), ASSISTANT]),
        ),
        ("qa", {"question": "u", "answer": "a", "context": "", "contexts": None}, Chat([USER, ASSISTANT])),
        (
            "qa",
            {"question": "Who is c?", "answer": "a", "context": "c"},
            Chat([Message("user", "Who is c?"), ASSISTANT]),
        ),
        ("qa", {"question": "u", "answer": "a", "context": {"n": 1}}, Chat([USER, ASSISTANT])),
        ("completion", {"prompt": "u", "completion": "a", "passage": "c"}, Chat([ABOUT, ASSISTANT])),
        ("completion", {"prompt": TURNS[:1], "completion": "a", "context": "c"}, Chat([ABOUT, ASSISTANT])),
        (
            "alpaca",
            {"instruction": "u", "output": "a", "input": "i", "context": "c", "history": [["u", "a"]]},
            Chat([USER, ASSISTANT, Message("user", "c\n\nu\n\ni"), ASSISTANT]),
        ),
        ("completion", {"prompt": "u", "completion": "a"}, Chat([USER, ASSISTANT])),
        ("completion", {"prompt": TURNS[:1], "completion": TURNS[1:], "id": 1}, Chat([USER, ASSISTANT])),
        ("completion", {"system": "s", "prompt": "u", "completion": "a"}, Chat([SYSTEM, USER, ASSISTANT])),
        ("kto", {"prompt": "u", "completion": "a", "label": True}, Judged([USER], [ASSISTANT], True)),
        (
            "kto",
            {"prompt": TURNS[:1], "completion": TURNS[1:], "label": "False"},
            Judged([USER], [ASSISTANT], False),
        ),
        ("kto", {"prompt": "u", "completion": "a", "label": 0, "id": 1}, Judged([USER], [ASSISTANT], False)),
        ("document", {"path": "p.md", "text": "# A"}, Document("p.md", "# A")),
        ("labelled", {"text": "u", "label": 3}, Chat([USER, Message("assistant", '{"intent": 3}')])),
        ("feedback", {"messages": TURNS[:1], "response": "a", "rating": "up"}, Judged([USER], [ASSISTANT], True)),
        (
            "feedback",
            {"messages": "u", "response": {"choices": [{"index": 0, "message": TURNS[1]}]}, "rating": -1},
            Judged([USER], [ASSISTANT], False),
        ),
        (
            "feedback",
            {"messages": "u", "response": "a", "rating": 1.0, "edit": ""},
            Judged([USER], [ASSISTANT], True),
        ),
        (
            "feedback",
            {"messages": "u", "response": "a", "rating": "Thumbs down", "edit": "b"},
            Pair([USER], [OTHER], [ASSISTANT]),
        ),
        ("feedback", {"messages": "u", "response": "a", "edit": TURNS[1:]}, Judged([USER], [ASSISTANT], True)),
        (
            "feedback",
            {"messages": "u", "response": "a", "edit": "b", "tools": [{"name": "f"}]},
            Pair([USER], [OTHER], [ASSISTANT], TOOLS),
        ),
        (
            "feedback",
            {
                "messages": "u",
                "response": {"role": "assistant", "tool_calls": [{"name": "f", "arguments": {"n": 1}}]},
                "rating": True,
                "tools": [{"name": "f"}],
            },
            Judged([USER], [Message("assistant", "", [CALL])], True, TOOLS),
        ),
    ],
)
def test_a_record_is_read_by_one_format_only(name: str, record: dict[str, Any], content: Content | Document) -> None:
    assert [n for n, reader in READERS.items() if reader.matches(record.keys())] == [name]
    assert READERS[name].read(record) == content


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"instruction": "u"},
        {"prompt": "u", "chosen": "a"},
        {"prompt": "u"},
        {"completion": "u"},
        {"rejected": "u", "prompt": "u"},
        {"text": "a", "id": 1},
        {"text": "a", "label": "b", "id": 1},
        {"text": "a", "label": "b", "category": "b"},
        {"question": "u", "answer": "a", "story": "c"},
    ],
)
def test_a_record_with_other_fields_matches_no_format(record: dict[str, Any]) -> None:
    assert [n for n, reader in READERS.items() if reader.matches(record.keys())] == []


def test_every_format_is_a_module_of_its_name() -> None:
    assert {name: reader.__name__ for name, reader in READERS.items()} == {
        n: f"stages.reading.formats.{n}" for n in READERS
    }
