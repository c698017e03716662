"""The texts of a content: all of them are listed, and a rewrite changes nothing else."""

import msgspec

from stages.rows.row import Chat, Text
from stages.rows.texts import content_texts, map_texts
from tests.rows.contents import CHAT, JUDGED, PAIR, TOOL_CHAT

MASKED = Chat(
    [*CHAT.messages[:2], msgspec.structs.replace(CHAT.messages[2], reasoning_content="r", train=False)], TOOL_CHAT.tools
)


def test_texts_are_listed_in_order() -> None:
    assert [content_texts(c) for c in (CHAT, PAIR, Text("t"))] == [["s", "q", "a"], ["q", "good", "bad"], ["t"]]
    assert content_texts(TOOL_CHAT) == ["q", "", "x", "y", "z", "a"]  # also strings in the arguments of tool calls
    assert content_texts(MASKED) == ["s", "q", "a", "r"]  # and reasoning


def test_a_rewrite_changes_every_text_and_nothing_else() -> None:
    for content in (CHAT, PAIR, JUDGED, Text("t"), TOOL_CHAT, MASKED):
        assert content_texts(map_texts(content, str.upper)) == [t.upper() for t in content_texts(content)]
        assert map_texts(content, str) == content


def test_arguments_and_answers_of_tools_can_be_changed_otherwise_than_turns() -> None:
    changed = map_texts(TOOL_CHAT, str.upper, lambda text: f"<{text}>")

    assert content_texts(changed) == ["Q", "", "<x>", "<y>", "<z>", "A"]
