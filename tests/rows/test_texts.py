"""The texts of a content: all of them are listed, and a rewrite changes nothing else."""

from stages.rows.row import Text
from stages.rows.texts import content_texts, map_texts
from tests.rows.contents import CHAT, PAIR, TOOL_CHAT


def test_texts_are_listed_in_order() -> None:
    assert [content_texts(c) for c in (CHAT, PAIR, Text("t"))] == [["s", "q", "a"], ["q", "good", "bad"], ["t"]]
    assert content_texts(TOOL_CHAT) == ["q", "", "x", "y", "z", "a"]  # also strings in the arguments of tool calls


def test_a_rewrite_changes_every_text_and_nothing_else() -> None:
    for content in (CHAT, PAIR, Text("t"), TOOL_CHAT):
        assert content_texts(map_texts(content, str.upper)) == [t.upper() for t in content_texts(content)]
        assert map_texts(content, str) == content
