"""The parts of a content, the same for every kind, so that code about rows needs no branch for each."""

from typing import Any, NamedTuple

from stages.rows.row import Chat, Content, Judged, Message, Pair, Text


class Parts(NamedTuple):
    """A part that a kind lacks is empty."""

    prompt: list[Message]  # the turns before the answer
    answer: list[Message]  # of a pair the chosen one
    rejected: list[Message]  # of a pair
    tools: list[dict[str, Any]]
    text: str  # of a text

    @property
    def turns(self) -> list[Message]:
        """All turns, those of a rejected answer last."""
        return [*self.prompt, *self.answer, *self.rejected]


def split(content: Content) -> Parts:
    """The parts of a content."""
    return SPLIT[type(content)](content)


def join(content: Content, parts: Parts) -> Content:
    """A content of the kind of `content`, and with its judgement, that consists of `parts`."""
    return JOIN[type(content)](content, parts)


def content_problem(content: Content) -> tuple[str, str] | None:
    """(reason, detail) why a content cannot be trained on, or None. A tool call counts as an answer."""
    parts = split(content)
    if isinstance(content, Text):
        return None if parts.text.strip() else ("empty_text", "text is empty")
    if not any(message.role == "user" and message.content.strip() for message in parts.prompt):
        return "empty_question", "no user turn with text before the answer"
    for turns in (parts.answer, parts.rejected) if isinstance(content, Pair) else (parts.answer,):
        if len(turns) > 1 and turns[-1].role == "assistant":
            return "several_turns", f"an answer of {len(turns)} turns"
        if len(turns) != 1 or turns[0].role != "assistant":
            return "no_answer", "the last turn is not the assistant's"
        if not turns[0].content.strip() and not turns[0].tool_calls:
            return "empty_answer", "the answer is empty"
    return None


SPLIT = {
    Chat: lambda c: Parts(c.messages[:-1], c.messages[-1:], [], c.tools, ""),
    Pair: lambda c: Parts(c.prompt, c.chosen, c.rejected, c.tools, ""),
    Judged: lambda c: Parts(c.prompt, c.answer, [], c.tools, ""),
    Text: lambda c: Parts([], [], [], [], c.text),
}  # fmt: skip
JOIN = {
    Chat: lambda c, p: Chat([*p.prompt, *p.answer], p.tools),
    Pair: lambda c, p: Pair(p.prompt, p.answer, p.rejected, p.tools),
    Judged: lambda c, p: Judged(p.prompt, p.answer, c.good, p.tools),
    Text: lambda c, p: Text(p.text),
}  # fmt: skip
