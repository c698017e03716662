"""What turns a row may have, and in which order: templates refuse or garble others, each in its own way."""

from collections.abc import Sequence

from stages.params.cleaning import Turns
from stages.rows.row import Chat, Content, Message, Pair, Text

ROLES = ("system", "user", "assistant", "tool")
Problem = tuple[str, str]  # reason, detail


def tidy(content: Content, params: Turns) -> tuple[Content, list[str]]:
    """The content without system turns that are empty and, unless params keep them, turns said twice in a row."""
    if isinstance(content, Text):
        return content, []
    found = content.messages if isinstance(content, Chat) else content.prompt
    turns = [turn for turn in found if turn.role != "system" or turn.content.strip()]
    rules = ["empty_turn"] if len(turns) < len(found) else []
    if params.repeated == "once" and repeated(turns):
        turns, rules = once(turns), [*rules, "repeated_turn"]
    if not rules:
        return content, []
    if isinstance(content, Pair):
        return Pair(turns, content.chosen, content.rejected), rules
    return _chat(content, turns), rules


def _chat(content: Chat, turns: list[Message]) -> Chat:
    fields = {name: getattr(content, name) for name in content.__struct_fields__}
    return Chat(**{**fields, "messages": turns})


def repeated(turns: Sequence[Message]) -> bool:
    """Whether a turn, or a question with its answer, stands twice in a row. A tool may well say the same again."""
    return len(once(turns)) < len(turns)


def once(turns: Sequence[Message]) -> list[Message]:
    """The turns, each of those that stand twice in a row once."""
    kept: list[Message] = []
    for turn in turns:
        kept.append(turn)
        for length in (1, 2):
            block = kept[-length:]
            if length == 2 and block[0].role != "user":
                continue
            if block == kept[-2 * length : -length] and not any(map(_of_tools, block)):
                del kept[-length:]
                break
    return kept


def _of_tools(turn: Message) -> bool:
    return turn.role == "tool" or bool(getattr(turn, "tool_calls", ()))


def problem(content: Content, params: Turns) -> Problem | None:
    """(reason, detail) where turns are not what a template takes."""
    if isinstance(content, Text):
        return None
    turns = content.messages if isinstance(content, Chat) else [*content.prompt, *content.chosen]
    for number, turn in enumerate(turns, 1):
        if turn.role not in ROLES:
            return "unknown_role", f"turn {number}: {turn.role!r}: want one of {', '.join(ROLES)}"
    if params.repeated == "drop" and repeated(turns):
        return "repeated_turn", "a turn, or a question with its answer, stands twice in a row"
    for number, turn in enumerate(turns[:-1], 1):  # of the last, rows.problem tells
        if turn.role != "tool" and not turn.content.strip() and not _of_tools(turn):
            return "empty_turn", f"turn {number}: {turn.role} says nothing"
    return _order(turns) if params.roles == "alternating" else None


def _order(turns: Sequence[Message]) -> Problem | None:
    before = "start"
    for number, turn in enumerate(turns, 1):
        wanted = {
            "start": ("system", "user"),
            "system": ("user",),
            "user": ("assistant",),
            "assistant": ("user",),
            "call": ("tool",),
            "tool": ("tool", "assistant"),
        }[before]
        if turn.role not in wanted:
            after = {"start": "at the start", "call": "after a call of a tool"}.get(before, f"after {before}")
            return "role_order", f"turn {number}: {turn.role} {after}: want {' or '.join(wanted)}"
        before = "call" if turn.role == "assistant" and _of_tools(turn) else turn.role
    return None
