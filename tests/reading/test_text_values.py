"""Texts that wholly hold a list of messages are read as one; any other text stays a text."""

import json

import msgspec
import pytest

from stages.reading.message_parsing import ROLES
from stages.reading.record_reader import RecordReader
from stages.reading.rejection import RejectedRecord
from stages.reading.text_values import json_value, messages_in_text
from stages.rows.row import Chat, Function, Message, ToolCall

QUESTION, ANSWER = [{"role": "user", "content": "u"}], [{"role": "assistant", "content": "a"}]
CHAT = b'{"kind":"chat","messages":[{"role":"user","content":"u"},{"role":"assistant","content":"a"}]}'
PAIR = (
    b'{"kind":"pair","prompt":[{"role":"user","content":"u"}],"chosen":[{"role":"assistant","content":"a"}],'
    b'"rejected":[{"role":"assistant","content":"b"}]}'
)


@pytest.mark.parametrize(
    ("record", "content"),
    [
        ({"prompt": json.dumps(QUESTION), "completion": json.dumps(ANSWER, indent=1)}, CHAT),
        ({"prompt": str(QUESTION), "completion": f" {ANSWER}\n"}, CHAT),
        ({"messages": str([*QUESTION, *ANSWER])}, CHAT),
        ({"conversations": json.dumps([{"from": "human", "value": "u"}, {"from": "gpt", "value": "a"}])}, CHAT),
        ({"prompt": "u", "chosen": str(ANSWER), "rejected": '[{"role": "assistant", "content": "b"}]'}, PAIR),
        ({"chosen": str([*QUESTION, *ANSWER]), "rejected": str([*QUESTION, {**ANSWER[0], "content": "b"}])}, PAIR),
    ],
)
def test_a_list_of_messages_given_as_text_is_read_as_messages(record: dict[str, str], content: bytes) -> None:
    assert RecordReader(None, None).read(record)[0] == [content]


@pytest.mark.parametrize(
    "answer",
    [
        '[{"role": "admin", "content": "x"}]',
        '[{"role": "user", "name": "Bo"}]',
        '["user", "a"]',
        "[]",
        "[1] Smith, J.",
        'See [{"role": "user", "content": "u"}]',
        '{"role": "user", "content": "u"}',
        "[{x}]",
    ],
)
def test_any_other_text_stays_a_text(answer: str) -> None:
    assert messages_in_text(answer, ROLES) == answer


@pytest.mark.parametrize("text", ["[{'role': 'user', 'content': open('x')}]", '[{"role": "user", "content": "u"'])
def test_what_begins_like_messages_and_is_no_literal_is_rejected(text: str) -> None:
    with pytest.raises(RejectedRecord) as error:
        RecordReader(None, None).read({"prompt": "u", "completion": text})

    assert error.value.reason == "wrong_shape" and "begins like a list of messages" in error.value.detail


def test_calls_in_such_a_text_are_read() -> None:
    call = {"role": "assistant", "tool_calls": [{"name": "f", "arguments": {"n": (1, None)}}]}

    [message] = messages_in_text(str([call]), ROLES)

    assert message["tool_calls"][0]["arguments"] == {"n": [1, None]}


def test_python_literals_are_values_and_nothing_is_run() -> None:
    assert json_value("{'a': True, 'b': None}") == {"a": True, "b": None}
    for text in ("__import__('os')", "{1, 2}", "b'x'", "[" * 500 + "]" * 499, "\0", "'\\d"):
        with pytest.raises(ValueError):
            json_value(text)


def test_the_types_of_tool_calls_are_kept() -> None:
    record = {
        "messages": [
            *QUESTION,
            {"role": "assistant", "tool_calls": [json.dumps({"function": '{"name": "f", "arguments": {"a": "1"}}'})]},
        ]
    }  # fmt: skip

    [content], _ = RecordReader(None, None).read(record)

    call = ToolCall(Function("f", {"a": "1"}), "function")
    assert msgspec.json.decode(content, type=Chat).messages[1] == Message("assistant", "", [call])
