"""Each input format: what it matches, and the canonical content it gives."""

from typing import Any

import pytest

from stages.documents import Document
from stages.formats import READERS
from stages.rows import Chat, Content, Message, Pair, Text

SYSTEM, USER, ASSISTANT = (Message(role, role[0]) for role in ("system", "user", "assistant"))
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
        ("messages", {"messages": TURNS, "source": "x"}, Chat([USER, ASSISTANT])),
        (
            "pairs",
            {"prompt": "u", "chosen": "a", "rejected": "b"},
            Pair([USER], [ASSISTANT], [Message("assistant", "b")]),
        ),
        (
            "pairs",
            {"prompt": TURNS[:1], "chosen": TURNS[1:], "rejected": "b", "score": 1},
            Pair([USER], [ASSISTANT], [Message("assistant", "b")]),
        ),
        ("text", {"text": "plain"}, Text("plain")),
        ("labelled", {"text": "u", "label": "greet"}, Chat([USER, Message("assistant", '{"intent": "greet"}')])),
        ("labelled", {"text": "u", "category": "greet"}, Chat([USER, Message("assistant", '{"intent": "greet"}')])),
        ("qa", {"question": "u", "answer": "a"}, Chat([USER, ASSISTANT])),
        ("document", {"path": "p.md", "text": "# A"}, Document("p.md", "# A")),
        ("labelled", {"text": "u", "label": 3}, Chat([USER, Message("assistant", '{"intent": 3}')])),
    ],
)
def test_a_record_is_read_by_one_format_only(name: str, record: dict[str, Any], content: Content | Document) -> None:
    assert [n for n, reader in READERS.items() if reader.matches(record)] == [name]
    assert READERS[name].read(record) == content


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"instruction": "u"},
        {"prompt": "u", "chosen": "a"},
        {"text": "a", "id": 1},
        {"text": "a", "label": "b", "id": 1},
        {"text": "a", "label": "b", "category": "b"},
        {"question": "u", "answer": "a", "context": "c"},
    ],
)
def test_a_record_with_other_fields_matches_no_format(record: dict[str, Any]) -> None:
    assert [n for n, reader in READERS.items() if reader.matches(record)] == []
