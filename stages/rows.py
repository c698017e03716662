"""The canonical row, its id, and the accounting that every data stage answers for."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from modelmake.errors import UserError

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


class Drop(msgspec.Struct, frozen=True):
    """A row that went no further: which, why, and what was seen."""

    id: str
    reason: str
    detail: str


def row(content: Content, split: str = "", group: str = "", time: str = "") -> Row:
    """The row of a content; its id is the first 96 bits of SHA-256 over the content's JSON."""
    return Row(id_of(msgspec.json.encode(content)), content, split, group, time)


def id_of(encoded: bytes) -> str:
    """The id of a content that is JSON already."""
    return hashlib.sha256(encoded).hexdigest()[:24]


def stronger(a: Row, b: Row) -> Row:
    """Two rows of one content as one: of the split that wins (test, val, train, none given), first group and time."""
    split = max(a.split, b.split, key=("", *SPLITS).index)
    group, time = (min({x, y} - {""}, default="") for x, y in ((a.group, b.group), (a.time, b.time)))
    return Row(a.id, a.content, split, group, time)


def problem(content: Content) -> tuple[str, str] | None:
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


def texts(content: Content) -> list[str]:
    """Every text of a row, in order: of each turn its content, then the texts among its calls' arguments."""
    if isinstance(content, Text):
        return [content.text]
    chat = isinstance(content, Chat)
    turns = content.messages if chat else [*content.prompt, *content.chosen, *content.rejected]
    found: list[str] = []
    for message in turns:
        found.append(message.content)
        for call in message.tool_calls:
            _each(call.function.arguments, lambda text: found.append(text) or text)
    return found


def rewrite(content: Content, change: Any) -> Content:
    """The content with `change(text) -> text` applied to each of its texts."""

    def call(found: ToolCall) -> ToolCall:
        function = Function(found.function.name, _each(found.function.arguments, change))
        return ToolCall(function, found.type, found.id)

    def messages(found: Sequence[Message]) -> list[Message]:
        return [
            Message(m.role, change(m.content), [call(c) for c in m.tool_calls], m.name, m.tool_call_id)
            if m.tool_calls or m.name or m.tool_call_id
            else Message(m.role, change(m.content))
            for m in found
        ]

    if isinstance(content, Text):
        return Text(change(content.text))
    if isinstance(content, Chat):
        return Chat(messages(content.messages), content.tools)
    return Pair(messages(content.prompt), messages(content.chosen), messages(content.rejected))


def _each(value: Any, change: Any) -> Any:
    """A JSON value with each text in it changed; names of fields are none."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_each(item, change) for item in value]
    if isinstance(value, dict):
        return {name: _each(item, change) for name, item in value.items()}
    return value


def read(path: Path) -> list[Row]:
    """The rows of a JSONL file.

    Raises:
        UserError: a line is no canonical row.
    """
    return list(each(path))


def each(path: Path) -> Iterator[Row]:
    """The rows of a JSONL file, one after the other; raises as `read` does."""
    decoder = msgspec.json.Decoder(Row)
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                yield decoder.decode(line)
            except msgspec.MsgspecError as error:
                raise UserError(
                    f"{path}:{number}: {error}: want a canonical row; rebuild it with `dvc repro`"
                ) from None


def write(path: Path, rows: Iterable[Row]) -> None:
    """Writes rows as JSONL, sorted by id, so that the order of the source never shows."""
    encoder = msgspec.json.Encoder()
    with path.open("wb") as file:
        for item in sorted(rows, key=lambda r: r.id):
            file.write(encoder.encode(item) + b"\n")


def account(rows_in: int, rows_out: int, reasons: Iterable[str]) -> dict[str, Any]:
    """{in, out, dropped: {reason: n}}, asserting that no row went without a reason."""
    dropped = Counter(reasons)
    if rows_in != rows_out + dropped.total():
        raise AssertionError(f"rows lost: {rows_in} in, {rows_out} out, {dropped.total()} dropped: {dict(dropped)}")
    return {"in": rows_in, "out": rows_out, "dropped": dict(sorted(dropped.items()))}


def write_json(path: Path, value: Any) -> None:
    """Writes a report: keys in the given order, two spaces, a final newline."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")


def summary(counts: dict[str, Any]) -> str:
    """One line of counts: `4400 rows in, 4200 out; dropped 200 (refusal 25, …)`."""
    dropped = counts["dropped"]
    reasons = f" ({', '.join(f'{reason} {n}' for reason, n in dropped.items())})" if dropped else ""
    return f"{counts['in']} rows in, {counts['out']} out, {sum(dropped.values())} dropped{reasons}"
