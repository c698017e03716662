"""The canonical row: its id depends on its content alone; what cannot be trained on has a reason."""

import hashlib

import msgspec
import pytest

from stages.rows.row import Chat, Content, Pair, Row, Text, content_problem, make_row, merge
from tests.rows.contents import CHAT, PAIR, TOOL_CHAT, turn


def test_the_id_is_the_hash_of_the_content_as_json() -> None:
    assert make_row(Text("é")).id == hashlib.sha256('{"kind":"text","text":"é"}'.encode()).hexdigest()[:24]
    assert make_row(Text("é")).id == "21c8e7d7a2b06d0f5b964d65"  # another scheme of ids would retrain every model


def test_split_and_group_are_no_part_of_the_id() -> None:
    assert make_row(CHAT, "test", "group").id == make_row(CHAT).id


def test_a_chat_without_tools_has_no_fields_for_them() -> None:
    assert msgspec.json.encode(CHAT) == (
        b'{"kind":"chat","messages":[{"role":"system","content":"s"},{"role":"user","content":"q"},'
        b'{"role":"assistant","content":"a"}]}'
    )
    assert make_row(CHAT).id == "69c0610fb5e301a0f839633a"


@pytest.mark.parametrize("other", [Chat(CHAT.messages[1:]), Chat([turn("user", "s"), *CHAT.messages[1:]]), PAIR])
def test_another_content_has_another_id(other: Content) -> None:
    assert make_row(other).id != make_row(CHAT).id


def test_the_kind_of_a_row_is_that_of_its_content() -> None:
    assert [make_row(c).kind for c in (CHAT, PAIR, Text("t"))] == ["chat", "pair", "text"]


@pytest.mark.parametrize(
    ("first", "second", "stronger"),
    [("train", "val", "val"), ("train", "test", "test"), ("val", "test", "test"), ("", "train", "train")],
)
def test_merged_rows_go_to_the_stronger_split_in_either_order(first: str, second: str, stronger: str) -> None:
    a, b = make_row(CHAT, first), make_row(CHAT, second)

    assert merge(a, b).split == merge(b, a).split == stronger


@pytest.mark.parametrize(("first", "second", "smaller"), [("b", "a", "a"), ("", "a", "a"), ("", "", "")])
def test_merged_rows_have_the_smaller_group_and_time_in_either_order(first: str, second: str, smaller: str) -> None:
    a, b = make_row(CHAT, "train", first, second), make_row(CHAT, "test", second, first)

    assert merge(a, b) == merge(b, a) == Row(a.id, CHAT, "test", smaller, smaller)


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
        (Pair([], PAIR.chosen, PAIR.rejected), "empty_question"),
        (Pair(PAIR.prompt, [], PAIR.rejected), "no_answer"),
        (Pair(PAIR.prompt, [*PAIR.prompt, *PAIR.chosen], PAIR.rejected), "no_answer"),
        (Pair(PAIR.prompt, PAIR.chosen, [turn("user")]), "no_answer"),
        (Pair(PAIR.prompt, PAIR.chosen, [turn("assistant", "")]), "empty_answer"),
    ],
)
def test_a_content_that_cannot_be_trained_on_has_a_reason(content: Content, reason: str | None) -> None:
    assert (content_problem(content) or (None,))[0] == reason
