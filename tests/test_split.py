"""Splits: a row's split follows from the row alone, so that rows added later move no other."""

import hashlib
import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelmake.errors import UserError
from stages import split
from stages.params.data import Golden, Split, TimeSplit
from stages.rows import jsonl
from stages.rows.row import SPLITS, Row, Text, make_row
from tests.made_up_splitting import FILES, FIRST, PARAMS, SECOND, THIRD, chat, run, text

BY_TIME = msgspec.structs.replace(PARAMS, time=TimeSplit(val_from="2026-01-31", test_from="2026-02-01T12:00:00+01:00"))


@pytest.mark.parametrize(
    ("start", "expected"),
    [("0000", "test"), ("1999", "test"), ("199a", "val"), ("2666", "val"), ("2667", "train"), ("ffff", "train")],
)
def test_the_split_is_where_the_id_falls(start: str, expected: str) -> None:
    # of 0x10000: test below a tenth, 0x1999.9…; val below 0.15, 0x2666.6…
    assert split.split_of(Row(f"{start:0<24}", Text("t")), PARAMS) == expected


@pytest.mark.parametrize("source_split", SPLITS)
def test_the_split_of_the_source_is_kept(source_split: str) -> None:
    rows = [text(f"{number}", source_split) for number in range(50)]

    assert {placed for placed, _ in run(rows)[0].values()} == {source_split}


def test_many_rows_are_split_by_the_fractions() -> None:
    splits = [split.split_of(text(f"text {number}"), PARAMS) for number in range(5000)]

    assert 440 < splits.count("test") < 560  # 500, within 3 standard deviations
    assert 200 < splits.count("val") < 300


def test_rows_are_written_by_split_and_kind_with_id_and_content_only(tmp_path: Path) -> None:
    row = text("a", "val")
    jsonl.write(tmp_path / "in", [row, text("b", "train")])

    (tmp_path / "golden.jsonl").touch()
    (tmp_path / "sets").mkdir()

    split.main(*(tmp_path / name for name in FILES), PARAMS)

    assert (tmp_path / "splits/val/text.jsonl").read_text() == (
        f'{{"id":"{row.id}","content":{{"kind":"text","text":"a"}}}}\n'
    )


def test_the_rows_of_a_group_are_in_one_split_that_depends_on_its_name_only() -> None:
    groups = {group: [make_row(Text(f"{group} {n}"), "", group) for n in range(5)] for group in map(str, range(100))}

    placed, _, _ = run([row for rows in groups.values() for row in rows])

    splits = {group: {placed[row.id][0] for row in rows} for group, rows in groups.items()}
    assert all(len(group_splits) == 1 for group_splits in splits.values())
    assert set().union(*splits.values()) == set(SPLITS)
    edited = {group: make_row(Text("wholly other"), "", group) for group in groups}
    assert {group: {split.split_of(row, PARAMS)} for group, row in edited.items()} == splits


def test_the_split_of_a_group_is_where_the_hash_of_its_name_falls() -> None:
    # SHA-256 of "d34" begins 1360, of "d5" 25f6, of "d1" 8b53, of 0x10000: test is below 0x1999, val below 0x2666
    splits = [split.split_of(make_row(Text("t"), "", group), PARAMS) for group in ("d34", "d5", "d1")]
    assert splits == ["test", "val", "train"]


def test_val_is_taken_from_the_source_train_split_only_with_val_from_train() -> None:
    rows = [Row(f"{start:0<24}", Text("t"), s) for start in ("0000", "0ccc", "0ccd", "ffff") for s in SPLITS]
    val_from_train = msgspec.structs.replace(PARAMS, val_from_train=True)  # 0x0ccc.c… of 0x10000

    assert [split.split_of(row, PARAMS) for row in rows] == [row.split for row in rows]
    assert [split.split_of(row, val_from_train) for row in rows] == [
        *["val", "val", "test"] * 2, *["train", "val", "test"] * 2,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2026-01-30T23:59:59+00:00", "train"),
        ("2026-01-31T00:00:00+00:00", "val"),
        ("2026-02-01T10:59:59+00:00", "val"),
        ("2026-02-01T11:00:00+00:00", "test"),
        ("", "train"),
    ],
)
def test_by_time_a_row_goes_where_its_time_falls_whatever_its_content(time: str, expected: str) -> None:
    assert {split.split_of(make_row(Text(str(n)), "", "", time), BY_TIME) for n in range(40)} == {expected}
    assert split.split_of(make_row(Text("t"), "val", "", time), BY_TIME) == "val", "the source's split comes first"


TEXTS = st.sampled_from([FIRST, SECOND, THIRD, FIRST.upper(), "yes", "no", ""]) | st.text(max_size=9)
TIMES = st.sampled_from(["", "2026-01-30T00:00:00+00:00", "2026-01-31T00:00:00+00:00", "2026-03-01T00:00:00+00:00"])
ROWS = st.builds(
    lambda row, s, time: Row(row.id, row.content, s, "", time),
    st.builds(chat, TEXTS) | st.builds(text, TEXTS), st.sampled_from(["", *SPLITS]), TIMES,
)  # fmt: skip


@settings(max_examples=40)
@given(st.lists(ROWS, max_size=8), st.lists(ROWS, max_size=8), st.sampled_from([PARAMS, BY_TIME]))
def test_rows_added_later_never_move_a_row_and_every_row_is_placed_or_dropped(
    old: list[Row], new: list[Row], params: Split
) -> None:
    old = list({row.id: row for row in old}.values())
    both = list({row.id: row for row in [*new, *old]}.values())
    before, _, _ = run(old, params)
    after, leaks, report = run(both, params)

    gone = {leak[0] for leak in leaks}
    assert all(after[i] == place for i, place in before.items() if i in after)
    assert before.keys() - after.keys() <= gone
    assert after.keys() | gone == {row.id for row in both} and not after.keys() & gone
    assert len(leaks) == len(gone) and {leak[2] for leak in leaks} <= after.keys()
    assert (report["in"], report["out"], sum(report["dropped"].values())) == (len(both), len(after), len(gone))
    assert {i: content for i, (_, content) in after.items()} == {r.id: r.content for r in both if r.id not in gone}


def write_and_run(folder: Path, rows: list[Row], params: Split = PARAMS) -> str:
    jsonl.write(folder / "in", rows)
    (folder / "golden.jsonl").touch()
    (folder / "sets").mkdir(exist_ok=True)
    return split.main(*(folder / name for name in FILES), params)


def test_golden_chats_that_repeat_others_are_told(tmp_path: Path) -> None:
    chats = '{"question": "why?", "answer": "so"}\n' * 3 + '{"question": "how?", "answer": "so"}\n'
    (tmp_path / "golden.jsonl").write_text(chats)
    pin = Golden(rows="golden.jsonl", sha256=hashlib.sha256(chats.encode()).hexdigest())

    line = write_and_run(tmp_path, [text("a", "train")], msgspec.structs.replace(PARAMS, val_fraction=0.0, golden=pin))

    assert "test: 0 text, 2 golden; 2 golden chats repeat others" in line
    assert len(jsonl.read(tmp_path / "splits/test/golden.jsonl")) == 2


def test_the_stage_stops_where_no_row_is_left_to_train_on(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"^split: none of 3 rows is left to train on: 1 are val, 2 are test, as names of"
    ):
        write_and_run(tmp_path, [text("a", "test"), text("b", "test"), text("c", "val")])


def test_the_stage_stops_where_groups_leave_val_empty(tmp_path: Path) -> None:
    in_train, in_val = ([make_row(Text(f"{name} {n}"), "", name) for n in range(20)] for name in ("d1", "d5"))

    with pytest.raises(UserError) as error:
        write_and_run(tmp_path, in_train)

    assert str(error.value) == (
        "split: none of 20 rows is in val: want split.val_fraction = 0.05 of them; each of their groups, 1 in number, "
        "goes to one split; raise it, or give rows to val in the source"
    )
    assert "val: 20 text" in write_and_run(tmp_path, in_train + in_val)


def test_few_rows_may_leave_val_empty_and_it_is_told(tmp_path: Path) -> None:
    rows = [make_row(Text(f"d1 {n}"), "", "d1") for n in range(19)]  # a twentieth is less than one row

    assert write_and_run(tmp_path, rows).endswith("nothing in val of: text")


def test_kinds_that_train_or_val_lacks_are_told(tmp_path: Path) -> None:
    line = write_and_run(tmp_path, [text("a", "train"), text("b", "val"), chat("c", "test"), chat("d", "val")])

    assert line.endswith("train: 0 chat, 1 text; val: 1 chat, 1 text; test: 1 chat, 0 text; nothing in train of: chat")
    assert json.loads((tmp_path / "report").read_bytes())["missing"] == {"train": ["chat"]}


def test_the_stage_stops_where_too_many_rows_would_leak_and_shows_the_largest_groups() -> None:
    held, other = chat(FIRST, "test"), chat("How many eggs has the hen?", "val", "9")
    leaking = [chat(FIRST, "train", answer) for answer in "abc"] + [chat("How many eggs has the hen?", "train", "8")]
    rows = [held, other, *leaking]  # and one more of train

    with pytest.raises(UserError) as error:
        run(rows, msgspec.structs.replace(PARAMS, max_dropped_fraction=0.6), evaluations=["the first one: i ordered"])

    message = str(error.value)
    assert message.startswith(
        "split: 4 of 6 rows of train and val would give away a held-out row or an evaluation set: want at most "
        "split.max_dropped_fraction = 0.6; the most go 3 rows for e.txt:1; 1 rows for How many eggs has the hen? → 9; "
    )
    assert "group" in message
    assert len(run(rows, msgspec.structs.replace(PARAMS, max_dropped_fraction=0.67))[1]) == 4
