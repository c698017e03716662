"""The canonical row: its id depends on its content alone."""

import hashlib

import msgspec
import pytest

from stages.rows.row import Chat, Content, Row, Text, make_row, merge
from tests.rows.contents import CHAT, JUDGED, PAIR, turn


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


def test_fields_with_their_default_are_not_in_the_json() -> None:
    masked = msgspec.structs.replace(CHAT.messages[2], train=False, reasoning_content="r")

    assert msgspec.json.encode(masked) == (b'{"role":"assistant","content":"a","reasoning_content":"r","train":false}')
    assert msgspec.json.encode(JUDGED) == (
        b'{"kind":"judged","prompt":[{"role":"user","content":"q"}],'
        b'"answer":[{"role":"assistant","content":"bad"}],"good":false}'
    )
    assert make_row(PAIR).id == "3426c27d5fda8716d2bf54e9"


@pytest.mark.parametrize("other", [Chat(CHAT.messages[1:]), Chat([turn("user", "s"), *CHAT.messages[1:]]), PAIR])
def test_another_content_has_another_id(other: Content) -> None:
    assert make_row(other).id != make_row(CHAT).id


def test_the_kind_of_a_row_is_that_of_its_content() -> None:
    assert [make_row(c).kind for c in (CHAT, PAIR, JUDGED, Text("t"))] == ["chat", "pair", "judged", "text"]


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
