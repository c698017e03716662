"""Conversations in every format: masks, reasoning, system prompts, tools and judgements are in the row, or refused."""

from typing import Any

import pytest

from stages.reading.formats import READERS
from stages.reading.message_parsing import ROLES
from stages.reading.ratings import ON_A_SCALE, RATINGS
from stages.rows.row import Chat, Content, Function, Judged, Message, Pair, ToolCall

SYSTEM, USER, ASSISTANT = (Message(role, role[0]) for role in ("system", "user", "assistant"))
CALL = ToolCall(Function("f", {"n": 1}), "function")
OTHER, WORSE = Message("assistant", "b"), {"role": "assistant", "content": "b"}
RATED = f"one of {', '.join(RATINGS)}, or null; if it judges no answer, ignore it in ingest.files"
SCALE = f"is on a scale: want good or bad: {ON_A_SCALE}, or ignore it in ingest.files"
MASKED = Message("assistant", "a", train=False)
THINKING = Message("assistant", "a", reasoning_content="r")
TOOLS = [{"type": "function", "function": {"name": "f"}}]
TURNS = [{"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}]


@pytest.mark.parametrize(
    ("name", "record", "content"),
    [
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
        ("messages", {"messages": [*TURNS, *TURNS], "reasoning": "off"}, Chat([USER, ASSISTANT, USER, ASSISTANT])),
        ("qa", {"question": "u", "answer": "a", "reasoning": "On"}, Chat([USER, ASSISTANT])),
        ("qa", {"question": "u", "answer": "a", "thinking": True}, Chat([USER, ASSISTANT])),
        ("qa", {"question": "u", "answer": "a", "thinking": True, "cot": "r"}, Chat([USER, THINKING])),
        (
            "messages",
            {"messages": [{**TURNS[0], "thinking": True}, {**TURNS[1], "reasoning": "high", "cot": "r"}]},
            Chat([USER, THINKING]),
        ),
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
        ("messages", {"messages": [TURNS[0], {**TURNS[1], "scratchpad": "r"}]}, Chat([USER, THINKING])),
        ("messages", {"messages": TURNS, "reasoning_content": "r"}, Chat([USER, THINKING])),
        ("qa", {"question": "u", "answer": "a", "chain_of_thought": "r"}, Chat([USER, THINKING])),
        (
            "alpaca",
            {"instruction": "u", "output": "a", "thoughts": [{"type": "text", "text": "r"}]},
            Chat([USER, THINKING]),
        ),
        ("completion", {"prompt": "u", "completion": "a", "cot": "r", "think": ""}, Chat([USER, THINKING])),
        (
            "completion",
            {"prompt": "u", "completion": "<think>r</think>a", "cot": "r"},
            Chat([USER, Message("assistant", "<think>r</think>a")]),
        ),
        (
            "completion",
            {"prompt": "u", "completion": "a", "cot": "r", "rejected": "b"},
            Pair([USER], [THINKING], [OTHER]),
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
def test_what_a_record_says_is_in_the_row(name: str, record: dict[str, Any], content: Content) -> None:
    assert [n for n, reader in READERS.items() if reader.matches(record.keys())] == [name]
    assert READERS[name].read(record) == content


@pytest.mark.parametrize(
    ("name", "record", "message"),
    [
        ("messages", {"messages": TURNS, "label": "billing"}, f"label 'billing': want {RATED}"),
        ("feedback", {"messages": "u", "response": "a", "rating": 4}, f"rating 4 {SCALE}"),
        ("messages", {"messages": TURNS, "rating": 0.5}, f"rating 0.5 {SCALE}"),
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
            {"messages": [*TURNS, *TURNS], "cot": "r"},
            "reasoning beside turns: want one answer, the last turn, or the reasoning in its turn",
        ),
        (
            "messages",
            {"messages": [TURNS[0], {**TURNS[1], "thinking": "t"}], "cot": "r"},
            "reasoning beside the turns and in the answer differ: want one of them",
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
            "from 'human' and role 'assistant' differ: want one of them",
        ),
        (
            "messages",
            {"messages": [{"role": "critic", "content": "u"}]},
            f"role 'critic': want one of {', '.join(ROLES)}",
        ),
        (
            "sharegpt",
            {"conversations": [{"from": "function_call", "value": '{"name": "f", "strict": true}'}]},
            "tool call with strict: want name and arguments",
        ),
    ],
)
def test_what_no_row_can_hold_or_contradicts_itself_is_an_error(
    name: str, record: dict[str, Any], message: str
) -> None:
    with pytest.raises((TypeError, ValueError)) as raised:
        READERS[name].read(record)

    assert str(raised.value) == message
