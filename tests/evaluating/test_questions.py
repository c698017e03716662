"""What a model is asked: a row without its answer, as chat templates take it."""

from stages.evaluating.questions import questions
from stages.rows.row import Chat, Function, Message, Row, ToolCall, make_row

TOOLS = [{"type": "function", "function": {"name": "time", "parameters": {"type": "object"}}}]
CALL = ToolCall(Function("time", {"zone": "UTC"}), "function")
CALLED = {"type": "function", "function": {"name": "time", "arguments": {"zone": "UTC"}}}


def chat(question: str, answer: str, *before: tuple[str, str]) -> Row:
    turns = [*before, ("user", question), ("assistant", answer)]
    return make_row(Chat([Message(role, text) for role, text in turns]))


def test_a_question_is_the_chat_without_its_last_turn() -> None:
    asked = questions([chat("hello", "hi", ("system", "be brief")), chat("c", "d", ("user", "a"), ("assistant", "b"))])

    assert asked == [
        {
            "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hello"}],
            "tools": [],
        },
        {
            "messages": [
                {"role": "user", "content": "a"},
                {"role": "assistant", "content": "b"},
                {"role": "user", "content": "c"},
            ],
            "tools": [],
        },
    ]


def test_a_question_has_the_tools_calls_and_reasoning_of_the_row_and_no_mask() -> None:
    called = Message("assistant", "", [CALL], reasoning_content="hm", train=False)
    turns = [Message("user", "now?"), called, Message("tool", "12", name="time"), Message("assistant", "Noon.")]

    [question] = questions([make_row(Chat(turns, TOOLS))])

    assert question["tools"] == TOOLS
    assert question["messages"] == [
        {"role": "user", "content": "now?"},
        {"role": "assistant", "content": "", "tool_calls": [CALLED], "reasoning_content": "hm"},
        {"role": "tool", "content": "12", "name": "time"},
    ]
