"""Rows as plain text: roles only where there are several turns, tool calls as JSON."""

from stages.rows.display import answer_text, prompt_text
from stages.rows.row import Chat, Text
from tests.rows.contents import CHAT, PAIR, TOOL_CHAT


def test_a_prompt_of_one_turn_is_its_text_and_one_of_several_has_roles() -> None:
    assert prompt_text(PAIR) == "q"
    assert prompt_text(CHAT) == "system: s\n\nuser: q"


def test_the_answer_is_the_last_turn_with_its_tool_calls() -> None:
    call = '[{"function":{"name":"f","arguments":{"a":"x","b":[1,{"c":"y"}]}},"type":"function","id":"1"}]'

    assert answer_text(Chat(TOOL_CHAT.messages[:2])) == call
    assert [answer_text(c) for c in (CHAT, PAIR, Text("t"))] == ["a", "good", "t"]
    assert answer_text(PAIR, rejected=True) == "bad"
