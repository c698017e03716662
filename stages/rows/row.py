"""The canonical row: a chat, a preference pair or a text, with the hash of its content as id."""

import hashlib
from typing import Any, Literal

import msgspec

KINDS = ("chat", "pair", "text")
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

    Empty optional fields are left out of the JSON, so that the ids of rows without tools do not depend on them.
    """

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: list[ToolCall] = []
    name: str = ""  # role tool: the tool that answers
    tool_call_id: str = ""  # role tool: the call that is answered


class Chat(msgspec.Struct, frozen=True, tag_field="kind", tag="chat", omit_defaults=True):
    messages: list[Message]  # the last one is the assistant's
    tools: list[dict[str, Any]] = []  # JSON schemas of the tools that the assistant may call


class Pair(msgspec.Struct, frozen=True, tag_field="kind", tag="pair"):
    prompt: list[Message]
    chosen: list[Message]
    rejected: list[Message]


class Text(msgspec.Struct, frozen=True, tag_field="kind", tag="text"):
    text: str


Content = Chat | Pair | Text


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


def content_problem(content: Content) -> tuple[str, str] | None:
    """(reason, detail) why a content cannot be trained on, or None. A tool call counts as an answer."""
    if isinstance(content, Text):
        return None if content.text.strip() else ("empty_text", "text is empty")
    answers = [content.messages[-1:]] if isinstance(content, Chat) else [content.chosen, content.rejected]
    prompt = content.messages[:-1] if isinstance(content, Chat) else content.prompt
    if not any(message.role == "user" and message.content.strip() for message in prompt):
        return "empty_question", "no user turn with text before the answer"
    for turns in answers:
        if len(turns) != 1 or turns[0].role != "assistant":
            return "no_answer", "the last turn is not the assistant's"
        if not turns[0].content.strip() and not turns[0].tool_calls:
            return "empty_answer", "the answer is empty"
    return None
