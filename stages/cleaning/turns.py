"""The turns of a row and their order: chat templates reject other orders, or mangle them in silence."""

from collections.abc import Sequence

from stages.answers import reply
from stages.params.cleaning import Turns
from stages.rows import parts
from stages.rows.row import Chat, Content, Message

ROLES = ("system", "user", "assistant", "tool")
FOLLOWERS = {  # turn -> roles that may follow it
    "start": ("system", "user"),
    "system": ("user",),
    "user": ("assistant",),
    "assistant": ("user",),
    "call": ("tool",),
    "tool": ("tool", "assistant"),
}
CALLS = 'tool_calls, or <tool_call>{"name", "arguments"}</tool_call> in its text'
Problem = tuple[str, str]  # reason, detail


def tidy(content: Content, params: Turns) -> tuple[Content, list[str]]:
    """(content, rules that changed it): without empty system turns and, for `repeated: once`, without repeats."""
    split, answer = parts.split(content), _learnt_answer(content)
    before = [*split.prompt, *answer]
    turns = [turn for turn in before if turn.role != "system" or turn.content.strip()]
    rules = ["empty_turn"] if len(turns) < len(before) else []
    if params.repeated == "once" and has_repeats(turns):
        turns, rules = without_repeats(turns), [*rules, "repeated_turn"]
    if not rules:
        return content, []
    # Of equal turns the first one is kept, so the last turn is the answer still.
    return parts.join(content, split._replace(prompt=turns[: len(turns) - len(answer)])), rules


def _learnt_answer(content: Content) -> list[Message]:
    """The answer of a chat. One that is judged or compared may be bad because it repeats: only its prompt is tidied."""
    return parts.split(content).answer if isinstance(content, Chat) else []


def has_repeats(turns: Sequence[Message]) -> bool:
    """True if a turn, or a question with its answer, stands twice in a row. Turns of tools may."""
    return len(without_repeats(turns)) < len(turns)


def without_repeats(turns: Sequence[Message]) -> list[Message]:
    """The turns, without the second of any that stand twice in a row."""
    kept: list[Message] = []
    for turn in turns:
        kept.append(turn)
        for length in (1, 2):
            block = kept[-length:]
            if length == 2 and block[0].role != "user":
                continue
            if block == kept[-2 * length : -length] and not any(map(_is_of_tools, block)):
                del kept[-length:]
                break
    return kept


def _is_of_tools(turn: Message) -> bool:
    return turn.role == "tool" or bool(getattr(turn, "tool_calls", ()))


def _writes_calls(turn: Message) -> bool:
    """True if the text of a turn has calls of tools, with the marks of any of `call_forms.FORMS`."""
    return any(call.name for call in reply.parse(turn.content, []).calls)


def problem(content: Content, params: Turns) -> Problem | None:
    """(reason, detail) if the turns are not what a template takes."""
    split = parts.split(content)
    turns = [*split.prompt, *split.answer]
    for number, turn in enumerate(turns, 1):
        if turn.role not in ROLES:
            return "unknown_role", f"turn {number}: {turn.role!r}: want one of {', '.join(ROLES)}"
    if params.repeated == "drop" and has_repeats([*split.prompt, *_learnt_answer(content)]):
        return "repeated_turn", "a turn, or a question with its answer, stands twice in a row"
    for number, turn in enumerate(turns[:-1], 1):  # `parts.content_problem` checks the last one
        if turn.role != "tool" and not turn.content.strip() and not _is_of_tools(turn):
            return "empty_turn", f"turn {number}: {turn.role} says nothing"
    return _order_problem(turns) if params.roles == "alternating" else None


def _order_problem(turns: Sequence[Message]) -> Problem | None:
    before = "start"
    for number, turn in enumerate(turns, 1):
        allowed = FOLLOWERS[before]
        if turn.role == "tool" and before == "assistant":
            if not _writes_calls(turns[number - 2]):
                return "role_order", f"turn {number}: tool after an assistant that calls none: want {CALLS}"
        elif turn.role not in allowed:
            after = {"start": "at the start", "call": "after a call of a tool"}.get(before, f"after {before}")
            return "role_order", f"turn {number}: {turn.role} {after}: want {' or '.join(allowed)}"
        before = "call" if turn.role == "assistant" and _is_of_tools(turn) else turn.role
    return None
