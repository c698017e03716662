"""The canonical row: its id is its content's alone, and no row goes without a reason."""

import hashlib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmake.errors import UserError
from stages.rows import accounting, jsonl, texts
from stages.rows.row import Chat, Content, Function, Message, Pair, Row, Text, ToolCall, check_content, make_row, merge


def turn(role: str, content: str = "x") -> Message:
    return Message(role, content)


CHAT = Chat([turn("system", "s"), turn("user", "q"), turn("assistant", "a")])
PAIR = Pair([turn("user", "q")], [turn("assistant", "good")], [turn("assistant", "bad")])
CALLED = Chat(
    [
        turn("user", "q"),
        Message("assistant", "", [ToolCall(Function("f", {"a": "x", "b": [1, {"c": "y"}]}), "function", "1")]),
        Message("tool", "z", name="f", tool_call_id="1"),
        turn("assistant", "a"),
    ],
    [{"type": "function", "function": {"name": "f"}}],
)
CONTENTS = st.sampled_from([CHAT, PAIR, CALLED]) | st.builds(Text, st.text())


def test_the_id_is_the_hash_of_the_content_as_json() -> None:
    assert make_row(Text("é")).id == hashlib.sha256('{"kind":"text","text":"é"}'.encode()).hexdigest()[:24]
    assert make_row(Text("é")).id == "21c8e7d7a2b06d0f5b964d65"  # an id that changes retrains every model there is


def test_split_and_group_are_no_part_of_the_id() -> None:
    assert make_row(CHAT, "test", "group").id == make_row(CHAT).id


def test_turns_and_chats_without_tools_are_spelt_as_if_there_were_none() -> None:
    assert msgspec.json.encode(CHAT) == (
        b'{"kind":"chat","messages":[{"role":"system","content":"s"},{"role":"user","content":"q"},'
        b'{"role":"assistant","content":"a"}]}'
    )
    assert make_row(CHAT).id == "69c0610fb5e301a0f839633a"


@pytest.mark.parametrize("other", [Chat(CHAT.messages[1:]), Chat([turn("user", "s"), *CHAT.messages[1:]]), PAIR])
def test_another_content_has_another_id(other: Content) -> None:
    assert make_row(other).id != make_row(CHAT).id


def test_the_kind_is_the_contents() -> None:
    assert [make_row(c).kind for c in (CHAT, PAIR, Text("t"))] == ["chat", "pair", "text"]


def test_texts_are_every_text_in_order() -> None:
    assert [texts.texts(c) for c in (CHAT, PAIR, Text("t"))] == [["s", "q", "a"], ["q", "good", "bad"], ["t"]]
    assert texts.texts(CALLED) == ["q", "", "x", "y", "z", "a"]  # also what tools are called with


def test_rewrite_changes_every_text_and_nothing_else() -> None:
    for content in (CHAT, PAIR, Text("t"), CALLED):
        assert texts.texts(texts.rewrite(content, str.upper)) == [t.upper() for t in texts.texts(content)]
        assert texts.rewrite(content, str) == content


@pytest.mark.parametrize(
    ("first", "second", "wins"),
    [("train", "val", "val"), ("train", "test", "test"), ("val", "test", "test"), ("", "train", "train")],
)
def test_test_wins_over_val_over_train_over_none_in_either_order(first: str, second: str, wins: str) -> None:
    a, b = make_row(CHAT, first), make_row(CHAT, second)

    assert merge(a, b).split == merge(b, a).split == wins


@pytest.mark.parametrize(("first", "second", "wins"), [("b", "a", "a"), ("", "a", "a"), ("", "", "")])
def test_a_row_of_two_groups_or_times_is_of_the_first_in_either_order(first: str, second: str, wins: str) -> None:
    a, b = make_row(CHAT, "train", first, second), make_row(CHAT, "test", second, first)

    assert merge(a, b) == merge(b, a) == Row(a.id, CHAT, "test", wins, wins)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (CHAT, None),
        (PAIR, None),
        (Text("t"), None),
        (CALLED, None),
        (Chat(CALLED.messages[:2]), None),  # a call is an answer
        (Chat(CALLED.messages[:3]), "no_answer"),
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
def test_a_content_that_cannot_teach_has_a_reason(content: Content, reason: str | None) -> None:
    assert (check_content(content) or (None,))[0] == reason


@given(st.lists(st.builds(make_row, CONTENTS, st.sampled_from(["", "train", "val", "test"])), unique_by=lambda r: r.id))
def test_what_is_written_is_read_again_sorted_by_id(tmp_path_factory: pytest.TempPathFactory, some: list[Row]) -> None:
    path = tmp_path_factory.getbasetemp() / "rows.jsonl"
    jsonl.write(path, some)

    assert jsonl.read(path) == sorted(some, key=lambda r: r.id)


def test_the_order_of_rows_never_shows_in_the_file(tmp_path: Path) -> None:
    some = [make_row(Text(str(i))) for i in range(20)]
    jsonl.write(tmp_path / "a", some)
    jsonl.write(tmp_path / "b", some[::-1])

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"id": "x"', "Input data was truncated"),
        (b'{"id": "x"}', "Object missing required field `content`"),
        (b'{"id": "x", "content": {"kind": "video"}}', "Invalid value 'video' - at `$.content.kind`"),
        (
            b'{"id": "x", "content": {"kind": "text", "text": "t"}, "split": "dev"}',
            "Invalid enum value 'dev' - at `$.split`",
        ),
    ],
)
def test_a_line_that_is_no_row_is_told_with_its_place(tmp_path: Path, line: bytes, why: str) -> None:
    path = tmp_path / "rows.jsonl"
    jsonl.write(path, [make_row(CHAT)])
    path.write_bytes(path.read_bytes() + line + b"\n")

    with pytest.raises(UserError) as told:
        jsonl.read(path)

    assert str(told.value) == f"{path}:2: {why}: want a canonical row; rebuild it with `dvc repro`"


def test_the_account_counts_each_reason() -> None:
    assert accounting.account(5, 2, ["b", "a", "b"]) == {"in": 5, "out": 2, "dropped": {"a": 1, "b": 2}}


@given(st.integers(0, 99), st.integers(0, 99), st.lists(st.sampled_from("ab"), max_size=9))
def test_an_account_that_does_not_balance_stops_the_stage(rows_in: int, rows_out: int, reasons: list[str]) -> None:
    if rows_in == rows_out + len(reasons):
        accounting.account(rows_in, rows_out, reasons)
    else:
        with pytest.raises(AssertionError, match=f"^rows lost: {rows_in} in, {rows_out} out, {len(reasons)} dropped"):
            accounting.account(rows_in, rows_out, reasons)


def test_the_summary_is_one_line() -> None:
    assert accounting.summary({"in": 5, "out": 5, "dropped": {}}) == "5 rows in, 5 out, 0 dropped"
    assert accounting.summary(accounting.account(5, 2, ["a", "a", "b"])) == "5 rows in, 2 out, 3 dropped (a 2, b 1)"


def test_a_report_is_indented_json_with_a_final_newline(tmp_path: Path) -> None:
    accounting.write_json(tmp_path / "r", {"b": 1, "a": {"c": [2]}})

    assert (tmp_path / "r").read_text() == '{\n  "b": 1,\n  "a": {\n    "c": [\n      2\n    ]\n  }\n}\n'
