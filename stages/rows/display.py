"""What a row asks and what it answers, as texts that a person reads."""

import msgspec

from stages.rows.row import Chat, Content, Message, Pair, Text


def asked(content: Chat | Pair) -> str:
    """The turns before the answer; the role stands before each where there is more than one."""
    turns = content.prompt if isinstance(content, Pair) else content.messages[:-1]
    return turns[0].content if len(turns) == 1 else "\n\n".join(f"{m.role}: {_said(m)}" for m in turns)


def answered(content: Content, rejected: bool = False) -> str:
    """The last turn, its calls of tools included; of a pair the chosen one, or the rejected; of a text all of it."""
    if isinstance(content, Text):
        return content.text
    if isinstance(content, Chat):
        return _said(content.messages[-1])
    return "\n\n".join(map(_said, content.rejected if rejected else content.chosen))


def _said(message: Message) -> str:
    calls = msgspec.json.encode(message.tool_calls).decode() if message.tool_calls else ""
    return "\n".join(filter(None, (message.content, calls)))
