"""A content as a record that `ingest` reads, in the formats of TRL."""

from typing import Any

import msgspec

from stages.rows import parts
from stages.rows.row import Chat, Content, Judged, Pair, Text


def of_content(content: Content) -> dict[str, Any]:
    """The record, with no field that is not read."""
    split = parts.split(content)
    record = FIELDS[type(content)](split, content)
    return msgspec.to_builtins(record | ({"tools": split.tools} if split.tools else {}))


FIELDS = {
    Chat: lambda split, _: {"messages": [*split.prompt, *split.answer]},
    Pair: lambda split, _: {"prompt": split.prompt, "chosen": split.answer, "rejected": split.rejected},
    Judged: lambda split, content: {"prompt": split.prompt, "completion": split.answer, "label": content.good},
    Text: lambda split, _: {"text": split.text},
}
