"""Prompt and answer of a row as plain text, for pages that people read."""

import msgspec

from stages.rows.row import Chat, Content, Message, Pair, Text


def prompt_text(content: Chat | Pair) -> str:
    """The turns before the answer; several turns are prefixed with their roles."""
    turns = content.prompt if isinstance(content, Pair) else content.messages[:-1]
    return turns[0].content if len(turns) == 1 else "\n\n".join(f"{m.role}: {_turn_text(m)}" for m in turns)


def answer_text(content: Content, rejected: bool = False) -> str:
    """The last turn with its tool calls; of a pair the chosen or the rejected side; of a text the whole text."""
    if isinstance(content, Text):
        return content.text
    if isinstance(content, Chat):
        return _turn_text(content.messages[-1])
    return "\n\n".join(map(_turn_text, content.rejected if rejected else content.chosen))


def _turn_text(message: Message) -> str:
    calls = msgspec.json.encode(message.tool_calls).decode() if message.tool_calls else ""
    return "\n".join(filter(None, (message.content, calls)))
