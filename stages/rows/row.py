"""The canonical row: a chat, a preference pair, a judged answer or a text, with the hash of its content as id."""

import hashlib
from typing import Any, Literal

import msgspec

KINDS = ("chat", "pair", "judged", "text")
SPLITS = ("train", "val", "test")  # ascending: a row of two splits goes to the later one


class Function(msgspec.Struct, frozen=True):
    name: str
    arguments: dict[str, Any]


class ToolCall(msgspec.Struct, frozen=True, omit_defaults=True):
    function: Function
    type: Literal["function"]
    id: str = ""


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """One turn. `msgspec.to_builtins` of it is what chat templates take.

    Fields with their default are left out of the JSON, so that the ids of rows without tools do not depend on them.
    """

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: list[ToolCall] = []
    name: str = ""  # role tool: the tool that answers
    tool_call_id: str = ""  # role tool: the call that is answered
    reasoning_content: str = ""  # role assistant: what was thought before the answer
    train: bool = True  # False: the loss does not see this turn; no field of templates


class Chat(msgspec.Struct, frozen=True, tag_field="kind", tag="chat", omit_defaults=True):
    messages: list[Message]  # the last one is the assistant's
    tools: list[dict[str, Any]] = []  # JSON schemas of the tools that the assistant may call


class Pair(msgspec.Struct, frozen=True, tag_field="kind", tag="pair", omit_defaults=True):
    prompt: list[Message]
    chosen: list[Message]
    rejected: list[Message]
    tools: list[dict[str, Any]] = []


class Judged(msgspec.Struct, frozen=True, tag_field="kind", tag="judged", omit_defaults=True):
    """An answer that somebody found good or bad, without another one to compare it with."""

    prompt: list[Message]
    answer: list[Message]
    good: bool
    tools: list[dict[str, Any]] = []


class Text(msgspec.Struct, frozen=True, tag_field="kind", tag="text"):
    text: str


Content = Chat | Pair | Judged | Text


class Row(msgspec.Struct, frozen=True, omit_defaults=True):
    """A content with its id. Split, group and time are no part of the id."""

    id: str
    content: Content
    split: Literal["", "train", "val", "test"] = ""  # "": not given by the source
    group: str = ""  # rows of one group go to one split: those of a customer, or of a document
    time: str = ""  # UTC, ISO 8601 to the second, so that sorting as text sorts by time

    @property
    def kind(self) -> str:
        """One of KINDS."""
        return type(self.content).__struct_config__.tag


def make_row(content: Content, split: str = "", group: str = "", time: str = "") -> Row:
    """A row with the id of its content."""
    return Row(content_id(msgspec.json.encode(content)), content, split, group, time)


def content_id(encoded: bytes) -> str:
    """The id of a content encoded as JSON: the first 24 hex digits (96 bits) of its SHA-256."""
    return hashlib.sha256(encoded).hexdigest()[:24]


def merge(a: Row, b: Row) -> Row:
    """Merges two rows of one content: the stronger split (test, val, train, none), the smaller group and time."""
    split = max(a.split, b.split, key=("", *SPLITS).index)
    group, time = (min({x, y} - {""}, default="") for x, y in ((a.group, b.group), (a.time, b.time)))
    return Row(a.id, a.content, split, group, time)
