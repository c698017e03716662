"""The sides of a row: each text once, and facts that tell apart what one character makes another thing."""

import pytest

from stages.rows.row import Chat, Content, Function, Judged, Message, Text, ToolCall
from stages.similarity.sides import facts, sides
from tests.rows.contents import CHAT, PAIR, TOOL_CHAT

CALL = '{"a":"x","b":[1,{"c":"y"}]}'


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (CHAT, ("s", "q", "a", "")),
        (PAIR, ("", "q", "good", "bad")),
        (Judged(PAIR.prompt, PAIR.rejected, False), ("", "q", "bad", "")),
        (Text("t"), ("", "t", "", "")),
        (Text(""), ("", "", "", "")),
        (TOOL_CHAT, ("", f"q\nf {CALL}\nz", "a", "")),
        (Chat([Message("user", "q"), Message("assistant", "a", reasoning_content="r")]), ("", "q", "r\na", "")),
    ],
)
def test_every_text_is_in_one_side(content: Content, expected: tuple[str, ...]) -> None:
    assert sides(content) == expected


def answering(*calls: Function, content: str = "", train: bool = True) -> Chat:
    tool_calls = [ToolCall(call, "function", str(number)) for number, call in enumerate(calls)]
    return Chat([Message("user", "q"), Message("assistant", content, tool_calls, train=train)])


def test_what_is_in_a_call_is_a_fact_and_its_id_is_none() -> None:
    call = Function("f", {"a": "in the Kitchen", "n": 1, "b": [True, None]})
    again = ToolCall(Function("f", dict(reversed(call.arguments.items()))), "function", "9")
    same = Chat([Message("user", "p"), Message("assistant", "x", [again])])
    other = [
        Function("g", call.arguments),
        Function("f", {**call.arguments, "n": 2}),
        Function("f", {**call.arguments, "n": 1.5}),
        Function("f", {**call.arguments, "b": [1, None]}),
        Function("f", {**call.arguments, "a": "in the kitchen"}),
        Function("f", {**call.arguments, "a": "in the  Kitchen"}),
        Function("f", {"n": 1, "b": [True, None]}),
    ]

    assert facts(answering(call)) == facts(same)
    assert len({facts(answering(one)) for one in (call, *other)}) == 8
    assert facts(answering(call)) != facts(answering(call, call))


def test_tools_calls_and_masks_before_the_answer_are_facts_of_the_context() -> None:
    untrained = Chat([*TOOL_CHAT.messages[:1], Message("assistant", "x", train=False), *TOOL_CHAT.messages[2:]])
    contents = [Chat(TOOL_CHAT.messages), TOOL_CHAT, CHAT, untrained]

    assert len({facts(content).context for content in contents}) == 4
    assert {facts(content).answers for content in contents} == {b""}


def test_the_order_of_fields_of_tools_is_no_fact() -> None:
    tools = [{"name": "f", "type": "function"}], [{"type": "function", "name": "f"}]

    assert facts(Chat(CHAT.messages, tools[0])) == facts(Chat(CHAT.messages, tools[1]))


def test_a_judgement_is_a_fact() -> None:
    assert facts(Judged(PAIR.prompt, PAIR.chosen, True)) != facts(Judged(PAIR.prompt, PAIR.chosen, False))
