"""Input formats: the records that each matches, and what it makes of them."""

from typing import Any

import pytest

from stages.reading.documents import Document
from stages.reading.formats import READERS
from stages.reading.message_parsing import ROLES
from stages.reading.ratings import RATINGS
from stages.reading.rejection import RejectedRecord
from stages.rows.row import Chat, Content, Function, Judged, Message, Pair, Text, ToolCall

SYSTEM, USER, ASSISTANT = (Message(role, role[0]) for role in ("system", "user", "assistant"))
CALL = ToolCall(Function("f", {"n": 1}), "function")
OTHER, WORSE = Message("assistant", "b"), {"role": "assistant", "content": "b"}
RATED = f"one of {', '.join(RATINGS)}, or null; if it judges no answer, ignore it in ingest.files"
MASKED = Message("assistant", "a", train=False)
THINKING = Message("assistant", "a", reasoning_content="r")
TOOLS = [{"type": "function", "function": {"name": "f"}}]
TURNS = [{"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}]


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
        ("text", {"text": "plain"}, Text("plain")),
        ("labelled", {"text": "u", "label": "greet"}, Chat([USER, Message("assistant", '{"intent": "greet"}')])),
        ("labelled", {"text": "u", "category": "greet"}, Chat([USER, Message("assistant", '{"intent": "greet"}')])),
        ("qa", {"question": "u", "answer": "a"}, Chat([USER, ASSISTANT])),
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
        # Masks, reasoning and system prompts
        (
            "messages",
            {"messages": [*TURNS, TURNS[0], {**TURNS[1], "weight": 0}, TURNS[0], {**TURNS[1], "weight": 1}]},
            Chat([USER, ASSISTANT, USER, MASKED, USER, ASSISTANT]),
        ),
        (
            "sharegpt",
            {
                "conversations": [
                    {"from": "human", "value": "u", "train": False},
                    {"from": "gpt", "value": "a", "train": False},
                    {"from": "human", "value": "u", "loss": None},
                    {"from": "gpt", "value": "a", "loss": True},
                ]
            },
            Chat([USER, MASKED, USER, ASSISTANT]),
        ),
        (
            "messages",
            {"messages": [*TURNS, TURNS[0], {**TURNS[1], "trainable": "false"}, TURNS[0], {**TURNS[1], "masked": 0}]},
            Chat([USER, ASSISTANT, USER, MASKED, USER, ASSISTANT]),
        ),
        ("messages", {"messages": [TURNS[0], {**TURNS[1], "reasoning_content": "r"}]}, Chat([USER, THINKING])),
        (
            "messages",
            {"messages": [TURNS[0], {**TURNS[1], "thinking": "r", "reasoning": None}]},
            Chat([USER, THINKING]),
        ),
        (
            "sharegpt",
            {"conversations": [TURNS[0], {"from": "gpt", "value": "a", "reasoning": "r"}]},
            Chat([USER, THINKING]),
        ),
        (
            "messages",
            {"messages": [TURNS[0], {"role": "assistant", "content": "<think>r</think>a"}]},
            Chat([USER, Message("assistant", "<think>r</think>a")]),
        ),
        ("messages", {"messages": TURNS, "system": "s"}, Chat([SYSTEM, USER, ASSISTANT])),
        (
            "messages",
            {"messages": [{"role": "system", "content": "s"}, *TURNS], "system_prompt": "s"},
            Chat([SYSTEM, USER, ASSISTANT]),
        ),
        ("sharegpt", {"conversations": TURNS, "system_prompt": "s"}, Chat([SYSTEM, USER, ASSISTANT])),
        ("qa", {"question": "u", "answer": "a", "system": "s"}, Chat([SYSTEM, USER, ASSISTANT])),
        (
            "feedback",
            {"messages": "u", "response": "a", "edit": "b", "system": "s"},
            Pair([SYSTEM, USER], [OTHER], [ASSISTANT]),
        ),
        (
            "messages",
            {"messages": TURNS, "system": [{"type": "text", "text": "s"}]},
            Chat([SYSTEM, USER, ASSISTANT]),
        ),
        # Judged and rejected answers
        ("messages", {"messages": TURNS, "kto_tag": False}, Judged([USER], [ASSISTANT], False)),
        ("messages", {"messages": TURNS, "label": False}, Judged([USER], [ASSISTANT], False)),
        ("messages", {"messages": TURNS, "rating": "down", "label": 0}, Judged([USER], [ASSISTANT], False)),
        ("messages", {"messages": TURNS, "rating": None, "label": ""}, Chat([USER, ASSISTANT])),
        ("sharegpt", {"conversations": TURNS, "kto_tag": True}, Judged([USER], [ASSISTANT], True)),
        ("alpaca", {"instruction": "u", "output": "a", "kto_tag": False}, Judged([USER], [ASSISTANT], False)),
        ("completion", {"prompt": "u", "completion": "a", "rating": 1.0}, Judged([USER], [ASSISTANT], True)),
        ("qa", {"question": "u", "answer": "a", "rating": "bad"}, Judged([USER], [ASSISTANT], False)),
        (
            "kto",
            {"prompt": "u", "completion": "a", "label": True, "tools": [{"name": "f"}]},
            Judged([USER], [ASSISTANT], True, TOOLS),
        ),
        ("messages", {"messages": TURNS, "rejected_response": "b"}, Pair([USER], [ASSISTANT], [OTHER])),
        (
            "messages",
            {"messages": TURNS, "rejected_messages": [TURNS[0], WORSE], "tools": [{"name": "f"}]},
            Pair([USER], [ASSISTANT], [OTHER], TOOLS),
        ),
        (
            "pairs",
            {"prompt": "u", "chosen": "a", "rejected": "b", "tools": [{"name": "f"}]},
            Pair([USER], [ASSISTANT], [OTHER], TOOLS),
        ),
        # LLaMA-Factory: ranking files, parallel calls
        (
            "pairs",
            {
                "conversations": [{"from": "human", "value": "u"}],
                "chosen": {"from": "gpt", "value": "a"},
                "rejected": {"from": "gpt", "value": "b"},
            },
            Pair([USER], [ASSISTANT], [OTHER]),
        ),
        (
            "pairs",
            {"instruction": "u", "input": "", "chosen": "a", "rejected": "b", "history": [["u", "a"]]},
            Pair([USER, ASSISTANT, USER], [ASSISTANT], [OTHER]),
        ),
        (
            "pairs",
            {"messages": TURNS, "chosen": "a", "rejected": "b", "system": "s"},
            Pair([SYSTEM, USER], [ASSISTANT], [OTHER]),
        ),
        (
            "sharegpt",
            {
                "conversations": [
                    {"from": "human", "value": "u"},
                    {"from": "function_call", "value": '[{"name": "f", "arguments": {"n": 1}}, {"name": "g"}]'},
                    {"from": "observation", "value": "2"},
                    {"from": "observation", "value": "3"},
                    {"from": "gpt", "value": "a"},
                ],
                "tools": "[{'name': 'f'}]",
            },
            Chat(
                [
                    USER,
                    Message("assistant", "", [CALL, ToolCall(Function("g", {}), "function")]),
                    Message("tool", "2"),
                    Message("tool", "3"),
                    ASSISTANT,
                ],
                TOOLS,
            ),
        ),
        # TRL's prompt-completion with tools; tool schemas given as JSON in part
        (
            "completion",
            {
                "prompt": TURNS[:1],
                "completion": [{"role": "assistant", "tool_calls": '[{"name": "f", "arguments": "{\\"n\\": 1}"}]'}],
                "tools": ['{"name": "f", "parameters": "{\\"properties\\": {\\"n\\": {\\"default\\": \\"007\\"}}}"}'],
            },
            Chat(
                [USER, Message("assistant", "", [CALL])],
                [
                    {
                        "type": "function",
                        "function": {"name": "f", "parameters": {"properties": {"n": {"default": "007"}}}},
                    }
                ],
            ),
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
        {"question": "u", "answer": "a", "context": "c"},
    ],
)
def test_a_record_with_other_fields_matches_no_format(record: dict[str, Any]) -> None:
    assert [n for n, reader in READERS.items() if reader.matches(record.keys())] == []


@pytest.mark.parametrize(
    ("name", "record", "message"),
    [
        ("messages", {"messages": [{"role": "x", "content": "y"}]}, f"role 'x': want one of {', '.join(ROLES)}"),
        ("messages", {"messages": ["u"]}, 'a text: want a message, such as {"role", "content"}'),
        ("messages", {"messages": {}}, "an object: want a text or a list of messages"),
        (
            "messages",
            {"messages": [{"role": "user", "content": [{"type": "image"}]}]},
            "content of type 'image': want text; nothing else is trained on",
        ),
        (
            "messages",
            {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "[1]"}}]}]},
            "arguments of f: a list: want a JSON object",
        ),
        ("messages", {"messages": TURNS, "tools": {"f": 1}}, "tools: an object: want a list of JSON schemas"),
        ("pairs", {"chosen": TURNS, "rejected": TURNS}, "chosen and rejected are the same"),
        (
            "pairs",
            {"chosen": "a", "rejected": "b"},
            "no prompt, and chosen and rejected begin with no turn that both have",
        ),
        ("kto", {"prompt": "u", "completion": "a", "label": None}, "label None: want true or false"),
        ("messages", {"messages": TURNS, "label": "billing"}, f"label 'billing': want {RATED}"),
        ("feedback", {"messages": "u", "response": "a", "rating": 4}, f"rating 4: want {RATED}"),
        ("messages", {"messages": TURNS, "rating": 0.5}, f"rating 0.5: want {RATED}"),
        (
            "messages",
            {"messages": TURNS, "rating": "up", "kto_tag": False},
            "rating 'up' and kto_tag False contradict each other",
        ),
        (
            "feedback",
            {"messages": "u", "response": "a", "edit": "a", "rating": -1},
            "judged bad, and the edit changes nothing: want one of them",
        ),
        (
            "messages",
            {"messages": TURNS, "kto_tag": False, "rejected_response": "b"},
            "the answer is judged bad, and another one is rejected: want one of them",
        ),
        ("messages", {"messages": TURNS, "rejected_response": "a"}, "the answer and the rejected one are the same"),
        (
            "messages",
            {"messages": [TURNS[0], {**TURNS[1], "weight": 0.5}]},
            "weight 0.5: want 0 or 1: a turn is trained, or it is not",
        ),
        (
            "messages",
            {"messages": [TURNS[0], {**TURNS[1], "train": True, "masked": True}]},
            "train and masked contradict each other",
        ),
        (
            "messages",
            {"messages": [{**TURNS[0], "train": True}, TURNS[1]]},
            "train: a turn of role user to train on: only those of assistants are",
        ),
        (
            "messages",
            {"messages": [TURNS[0], {**TURNS[1], "thinking": "r", "reasoning": "t"}]},
            "reasoning and thinking differ: want one of them",
        ),
        (
            "messages",
            {"messages": [{**TURNS[0], "thinking": "r"}, TURNS[1]]},
            "reasoning of a turn of role user: a text: want a text, of the assistant",
        ),
        (
            "messages",
            {"messages": [{"role": "system", "content": "s"}, *TURNS], "system": "t"},
            "two system prompts, one of them beside the turns, and they differ: want one",
        ),
        (
            "alpaca",
            {"instruction": "u", "output": "a", "system": "s", "system_prompt": "t"},
            "system and system_prompt differ: want one of them",
        ),
        (
            "pairs",
            {"prompt": "u", "messages": [{"role": "user", "content": "v"}], "chosen": "a", "rejected": "b"},
            "prompt and messages differ: want one prompt",
        ),
        (
            "sharegpt",
            {"conversations": [{"from": "human", "role": "assistant", "value": "u"}]},
            f"role 'assistant': want one of {', '.join(ROLES)}",
        ),
        (
            "sharegpt",
            {"conversations": [{"from": "function_call", "value": '{"name": "f", "strict": true}'}]},
            "tool call with strict: want name and arguments",
        ),
        (
            "feedback",
            {"messages": "u", "response": {"choices": [{"message": TURNS[1]}] * 2}},
            "2 answers: want the one that was shown",
        ),
        ("feedback", {"messages": "u", "response": None}, "null: want a text or a list of messages"),
    ],
)
def test_a_record_of_another_shape_is_an_error(name: str, record: dict[str, Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError)) as raised:
        READERS[name].read(record)

    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"rating": None}, "unrated"),
        ({"rating": "", "edit": None}, "unrated"),
        ({}, "unrated"),
    ],
)
def test_feedback_without_a_rating_is_rejected_with_its_reason(record: dict[str, Any], reason: str) -> None:
    with pytest.raises(RejectedRecord) as error:
        READERS["feedback"].read({"messages": "u", "response": "a", **record})

    assert error.value.reason == reason


def test_every_format_is_a_module_of_its_name() -> None:
    assert {name: reader.__name__ for name, reader in READERS.items()} == {
        n: f"stages.reading.formats.{n}" for n in READERS
    }
