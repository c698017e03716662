"""One content of each kind, for tests of rows."""

from stages.rows.row import Chat, Function, Judged, Message, Pair, ToolCall


def turn(role: str, content: str = "x") -> Message:
    return Message(role, content)


CHAT = Chat([turn("system", "s"), turn("user", "q"), turn("assistant", "a")])
PAIR = Pair([turn("user", "q")], [turn("assistant", "good")], [turn("assistant", "bad")])
JUDGED = Judged(PAIR.prompt, PAIR.rejected, False)
TOOL_CHAT = Chat(
    [
        turn("user", "q"),
        Message("assistant", "", [ToolCall(Function("f", {"a": "x", "b": [1, {"c": "y"}]}), "function", "1")]),
        Message("tool", "z", name="f", tool_call_id="1"),
        turn("assistant", "a"),
    ],
    [{"type": "function", "function": {"name": "f"}}],
)
