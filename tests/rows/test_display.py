"""Rows as plain text: the whole dialogue, with roles where there are several turns, calls, reasoning and masks."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.rows import display, texts
from stages.rows.row import KINDS, Chat, Content, Function, Judged, Message, Pair, Text, ToolCall
from tests.rows.contents import CHAT, JUDGED, PAIR, TOOL_CHAT, turn

WORDS = st.text(max_size=6)
CALLS = st.builds(ToolCall, st.builds(Function, WORDS, st.dictionaries(WORDS, WORDS | st.lists(WORDS), max_size=2)),
                  st.just("function"))  # fmt: skip
TURNS = st.lists(
    st.builds(
        Message, st.sampled_from(["system", "user", "assistant", "tool"]), WORDS, st.lists(CALLS, max_size=2), WORDS,
        WORDS, WORDS, st.booleans(),
    ),
    max_size=3,
)  # fmt: skip
CONTENTS = (
    st.builds(Chat, TURNS.filter(bool)) | st.builds(Pair, TURNS, TURNS, TURNS)
    | st.builds(Judged, TURNS, TURNS, st.booleans()) | st.builds(Text, WORDS)
)  # fmt: skip
CALL = 'call f({"a":"x","b":[1,{"c":"y"}]})'


def test_a_lone_question_is_its_text_and_a_dialogue_is_shown_whole_with_roles() -> None:
    assert display.prompt_text(PAIR) == "q"
    assert display.prompt_text(CHAT) == "system: s\n\nuser: q"
    assert display.prompt_text(TOOL_CHAT) == f"tools: f\n\nuser: q\n\nassistant: {CALL}\n\ntool f: z"


@pytest.mark.parametrize(
    ("schema", "name"),
    [
        ({"type": "function", "function": {"name": "f"}}, "f"),
        ({"name": "g", "parameters": {}}, "g"),
        ({"type": "web_search"}, '{"type":"web_search"}'),
    ],
)
def test_tools_are_named_in_every_form_of_schema(schema: dict, name: str) -> None:
    assert display.prompt_text(Pair([turn("user", "q")], [], [], [schema])) == f"tools: {name}\n\nuser: q"


def test_reasoning_is_shown_and_turns_that_the_loss_does_not_see_are_said_to_be() -> None:
    thought = Message("assistant", "a", reasoning_content="hm", train=False)
    chat = Chat([turn("user", "q"), thought, turn("user", "r"), thought])

    assert display.prompt_text(chat) == "user: q\n\nassistant, not trained: (reasoning: hm)\na\n\nuser: r"
    assert display.answers(chat) == {"answer, not trained": "(reasoning: hm)\na"}


def test_answers_are_named_by_kind() -> None:
    assert display.answers(CHAT) == {"answer": "a"}
    assert display.answers(Chat(TOOL_CHAT.messages[:2])) == {"answer": CALL}
    assert display.answers(PAIR) == {"chosen": "good", "rejected": "bad"}
    assert display.answers(JUDGED) == {"bad answer": "bad"}
    assert display.answers(msgspec.structs.replace(JUDGED, good=True)) == {"good answer": "bad"}
    assert display.answers(Text("t")) == {"text": "t"}
    assert (display.answer_text(PAIR), display.answer_text(PAIR, rejected=True)) == ("good", "bad")


def test_every_kind_has_a_name_for_its_answer() -> None:
    assert {kind.__struct_config__.tag for kind in display.ANSWERS} == set(KINDS)
    assert Judged in display.ANSWERS


@given(CONTENTS)
def test_no_text_of_a_row_is_left_out(content: Content) -> None:
    shown = "\n".join([display.prompt_text(content), *display.answers(content).values()])

    for text in texts.content_texts(content):
        assert text in shown or msgspec.json.encode(text).decode()[1:-1] in shown
