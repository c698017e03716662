"""The parts of a content: those of every kind, and the same content of them again."""

import pytest

from stages.rows.parts import Parts, content_problem, join, split
from stages.rows.row import Chat, Content, Judged, Pair, Text
from tests.rows.contents import CHAT, JUDGED, PAIR, TOOL_CHAT, turn


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (CHAT, Parts(CHAT.messages[:2], CHAT.messages[2:], [], [], "")),
        (TOOL_CHAT, Parts(TOOL_CHAT.messages[:-1], TOOL_CHAT.messages[-1:], [], TOOL_CHAT.tools, "")),
        (PAIR, Parts(PAIR.prompt, PAIR.chosen, PAIR.rejected, [], "")),
        (JUDGED, Parts(JUDGED.prompt, JUDGED.answer, [], [], "")),
        (Text("t"), Parts([], [], [], [], "t")),
    ],
)
def test_a_content_is_the_sum_of_its_parts(content: Content, parts: Parts) -> None:
    assert split(content) == parts
    assert join(content, parts) == content


def test_all_turns_of_a_pair_end_with_the_rejected_ones() -> None:
    assert split(PAIR).turns == [*PAIR.prompt, *PAIR.chosen, *PAIR.rejected]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (CHAT, None),
        (PAIR, None),
        (Text("t"), None),
        (TOOL_CHAT, None),
        (Chat(TOOL_CHAT.messages[:2]), None),  # a tool call is an answer
        (Chat(TOOL_CHAT.messages[:3]), "no_answer"),
        (Text(" \n"), "empty_text"),
        (Chat([]), "empty_question"),
        (Chat([turn("assistant")]), "empty_question"),
        (Chat([turn("system"), turn("assistant")]), "empty_question"),
        (Chat([turn("user", " "), turn("assistant")]), "empty_question"),
        (Chat([turn("user"), turn("assistant"), turn("user")]), "no_answer"),
        (Chat([turn("user"), turn("system")]), "no_answer"),
        (Chat([turn("user"), turn("assistant", "\t")]), "empty_answer"),
        (JUDGED, None),
        (Judged(PAIR.prompt, [], False), "no_answer"),
        (Judged(PAIR.prompt, [turn("assistant", "")], True), "empty_answer"),
        (Pair([], PAIR.chosen, PAIR.rejected), "empty_question"),
        (Pair(PAIR.prompt, [], PAIR.rejected), "no_answer"),
        (Pair(PAIR.prompt, [*PAIR.prompt, *PAIR.chosen], PAIR.rejected), "several_turns"),
        (Pair(PAIR.prompt, PAIR.chosen, [turn("user")]), "no_answer"),
        (Pair(PAIR.prompt, PAIR.chosen, [turn("assistant", "")]), "empty_answer"),
    ],
)
def test_a_content_that_cannot_be_trained_on_has_a_reason(content: Content, reason: str | None) -> None:
    assert (content_problem(content) or (None,))[0] == reason
