"""The canonical row and its id."""

import hashlib
from typing import Any, Literal

import msgspec

KINDS = ("chat", "pair", "text")
SPLITS = ("train", "val", "test")  # the later wins over the earlier


class Function(msgspec.Struct, frozen=True):
    name: str
    arguments: dict[str, Any]


class ToolCall(msgspec.Struct, frozen=True, omit_defaults=True):
    function: Function
    type: Literal["function"]
    id: str = ""


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """A turn; `to_builtins` of it is what chat templates take. What is empty by default is left out, also of ids."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: list[ToolCall] = []
    name: str = ""  # of the tool that answers
    tool_call_id: str = ""  # the call that a tool answers


class Chat(msgspec.Struct, frozen=True, tag_field="kind", tag="chat", omit_defaults=True):
    messages: list[Message]  # the last one is the assistant's
    tools: list[dict[str, Any]] = []  # JSON schemas of what the assistant may call


class Pair(msgspec.Struct, frozen=True, tag_field="kind", tag="pair"):
    prompt: list[Message]
    chosen: list[Message]
    rejected: list[Message]


class Text(msgspec.Struct, frozen=True, tag_field="kind", tag="text"):
    text: str


Content = Chat | Pair | Text


class Row(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str
    content: Content
    split: Literal["", "train", "val", "test"] = ""  # where the source says so; no part of the id
    group: str = ""  # rows of one group go to one split: a customer, the document that they are parts of; as `split`
    time: str = ""  # when it is from: UTC, ISO 8601 to the second, so that such texts sort as times do; as `split`

    @property
    def kind(self) -> str:
        return type(self.content).__struct_config__.tag


def make_row(content: Content, split: str = "", group: str = "", time: str = "") -> Row:
    """The row of a content; its id is the first 96 bits of SHA-256 over the content's JSON."""
    return Row(content_id(msgspec.json.encode(content)), content, split, group, time)


def content_id(encoded: bytes) -> str:
    """The id of a content that is JSON already."""
    return hashlib.sha256(encoded).hexdigest()[:24]


def merge(a: Row, b: Row) -> Row:
    """Two rows of one content as one: of the split that wins (test, val, train, none given), first group and time."""
    split = max(a.split, b.split, key=("", *SPLITS).index)
    group, time = (min({x, y} - {""}, default="") for x, y in ((a.group, b.group), (a.time, b.time)))
    return Row(a.id, a.content, split, group, time)


def check_content(content: Content) -> tuple[str, str] | None:
    """(reason, detail) where a content cannot teach anything; None where it can. A call of a tool is an answer too."""
    if isinstance(content, Text):
        return None if content.text.strip() else ("empty_text", "text is empty")
    answers = [content.messages[-1:]] if isinstance(content, Chat) else [content.chosen, content.rejected]
    asked = content.messages[:-1] if isinstance(content, Chat) else content.prompt
    for message in asked:
        if message.role == "user" and message.content.strip():
            break
    else:
        return "empty_question", "no user turn with text before the answer"
    for turns in answers:
        if len(turns) != 1 or turns[0].role != "assistant":
            return "no_answer", "the last turn is not the assistant's"
        if not turns[0].content.strip() and not turns[0].tool_calls:
            return "empty_answer", "the answer is empty"
    return None
