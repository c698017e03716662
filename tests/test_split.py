"""Splits: nothing ever moves, and nothing held out is trained on."""

import hashlib
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages import split
from stages.params.data import Decontaminate, Golden, Near, Split, TimeSplit
from stages.rows import jsonl
from stages.rows.row import KINDS, SPLITS, Chat, Content, Message, Pair, Row, Text, make_row
from stages.similarity.shingles import jaccard, shingles

NEAR = Near(threshold=0.85, shingle_chars=5, permutations=128, bands=21, seed=1, threads=1)
PARAMS = Split(
    val_fraction=0.05,
    test_fraction=0.1,
    time=None,
    golden=Golden(rows="golden.jsonl", sha256=hashlib.sha256(b"").hexdigest()),
    decontaminate=Decontaminate(sets="sets", words=4, min_words=2),
    val_from_train=False,
    near=NEAR,
)
BY_TIME = msgspec.structs.replace(PARAMS, time=TimeSplit(val_from="2026-01-31", test_from="2026-02-01T12:00:00+01:00"))

MIDDLE = (
    "I ordered the toaster on Monday, the courier says that it was handed over to a neighbour, and I cannot find it. "
)
FIRST = f"The first one: {MIDDLE}Where is it? Please write soon."  # like the second, unlike the third
SECOND = f"The next: {MIDDLE}Where is it? Please write soon."
THIRD = f"The next: {MIDDLE}Where is it? Please write today."


def chat(text: str, given_split: str = "", answer: str = "ok") -> Row:
    return make_row(Chat([Message("user", text), Message("assistant", answer)]), given_split)


def text(content: str, given_split: str = "") -> Row:
    return make_row(Text(content), given_split)


FILES = ("in", "golden.jsonl", "sets", "splits", "leaks", "contaminated", "report", "memo")


def run(
    given_rows: list[Row], params: Split = PARAMS, golden: Sequence[Chat] = (), evaluations: Sequence[str] = ()
) -> tuple[dict[str, tuple[str, Content]], list[tuple], dict[str, Any]]:
    """What the stage makes of these rows: {id: (split, content)}, leaks or else contaminated rows, report."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        jsonl.write(folder / "in", given_rows)
        pinned = b"".join(msgspec.json.encode({"messages": chat.messages}) + b"\n" for chat in golden)
        (folder / "golden.jsonl").write_bytes(pinned)
        (folder / "sets").mkdir()
        if evaluations:
            (folder / "sets/e.txt").write_text("\n\n".join(evaluations))
        pin = Golden(rows="golden.jsonl", sha256=hashlib.sha256(pinned).hexdigest())
        split.main(*(folder / file for file in FILES), msgspec.structs.replace(params, golden=pin))
        files = {f"{s}/{kind}.jsonl" for s in SPLITS for kind in KINDS}
        files |= {"test/golden.jsonl"} if golden else set()
        assert {str(p.relative_to(folder / "splits")) for p in folder.glob("splits/*/*")} == files
        found = [(file.partition("/"), row) for file in files for row in jsonl.read(folder / "splits" / file)]
        assert all(kind in (f"{row.kind}.jsonl", "golden.jsonl") and row.split == "" for (_, _, kind), row in found)
        tables = [pyarrow.parquet.read_table(folder / name).to_pylist() for name in ("contaminated", "leaks")]
        told = [tuple(line.values()) for table in tables for line in table]
        report = json.loads((folder / "report").read_bytes())
    placed = {row.id: ("golden" if kind == "golden.jsonl" else where, row.content) for (where, _, kind), row in found}
    assert len(placed) == len(found)
    return placed, told, report


@pytest.mark.parametrize(
    ("start", "expected"),
    [("0000", "test"), ("1999", "test"), ("199a", "val"), ("2666", "val"), ("2667", "train"), ("ffff", "train")],
)
def test_the_split_is_where_the_id_falls(start: str, expected: str) -> None:
    # of 0x10000: test below a tenth, 0x1999.9…; val below 0.15, 0x2666.6…
    assert split.split_of(Row(f"{start:0<24}", Text("t")), PARAMS) == expected


@pytest.mark.parametrize("given_split", SPLITS)
def test_the_split_that_the_source_gives_is_honoured(given_split: str) -> None:
    found = [text(f"{number}", given_split) for number in range(50)]

    assert {where for where, _ in run(found)[0].values()} == {given_split}


def test_of_many_rows_the_fractions_hold() -> None:
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


@pytest.mark.parametrize(
    ("first", "second", "dropped"),
    [("train", "val", 0), ("test", "train", 1), ("val", "test", 0), ("train", "train", None), ("test", "test", None)],
)
@pytest.mark.parametrize("make", [chat, text])
def test_a_row_like_one_in_a_split_that_wins_is_dropped_and_told(
    make: Any, first: str, second: str, dropped: int | None
) -> None:
    pair = [make(FIRST, first), make(SECOND, second)]

    placed, leaks, report = run(pair)

    if dropped is None:
        assert (set(placed), leaks, report["dropped"]) == ({pair[0].id, pair[1].id}, [], {})
    else:
        loser, winner = pair[dropped], pair[1 - dropped]
        [(*told, reason, similarity)] = leaks
        assert list(placed) == [winner.id]
        assert told == [loser.id, loser.split, winner.id, winner.split]
        assert reason == f"similar_to_{winner.split}"
        assert 0.85 <= similarity < 1
        assert report["dropped"] == {f"similar_to_{winner.split}": 1}


def test_a_row_dropped_from_val_drops_nothing_from_train() -> None:
    alike = [jaccard(shingles(a, 5), shingles(b, 5)) for a, b in ((FIRST, SECOND), (SECOND, THIRD), (FIRST, THIRD))]
    assert alike[0] >= 0.85 and alike[1] >= 0.85 and alike[2] < 0.85
    test, val, train = text(FIRST, "test"), text(SECOND, "val"), text(THIRD, "train")

    assert {i: where for i, (where, _) in run([test, val, train])[0].items()} == {test.id: "test", train.id: "train"}
    assert set(run([val, train])[0]) == {val.id}


def pair(prompt: str, chosen: str, rejected: str, given_split: str) -> Row:
    turns = [[Message("user", prompt)], [Message("assistant", chosen)], [Message("assistant", rejected)]]
    return make_row(Pair(*turns), given_split)


@pytest.mark.parametrize("held_out", ["test", "val"])
def test_a_pair_whose_prompt_and_chosen_answer_are_a_held_out_chat_is_dropped_from_train(held_out: str) -> None:
    held = chat(FIRST, held_out)
    leaking = pair(FIRST, "ok", "Something else that is long enough to make the whole pair look different.", "train")

    assert run([held, leaking])[1] == [(leaking.id, "train", held.id, held_out, f"similar_to_{held_out}", 1.0)]


def test_a_chat_is_dropped_from_train_where_a_pair_holds_it_out() -> None:
    held, leaking = pair(FIRST, "ok", "no", "test"), chat(FIRST, "train")

    assert run([held, leaking])[1] == [(leaking.id, "train", held.id, "test", "similar_to_test", 1.0)]


@pytest.mark.parametrize("held_out", ["test", "val"])
def test_a_row_that_asks_a_held_out_question_is_dropped_whatever_it_answers(held_out: str) -> None:
    held = chat("How many eggs?", held_out, "16 - 3 - 4 = 9, so nine.")
    asking = [
        chat("How  many EGGS? ", "train", "42"),
        pair("How many eggs?", "Four, I would say.", "None at all.", "train"),
    ]
    others = [chat("How many hens?", "train", "42"), text("How many eggs?", "train")]

    placed, leaks, report = run([held, *asking, *others])

    assert placed.keys() == {held.id, *(row.id for row in others)}
    assert [leak[:5] for leak in leaks] == sorted(
        (row.id, "train", held.id, held_out, f"asked_in_{held_out}") for row in asking
    )
    assert all(leak[5] < 0.85 for leak in leaks)
    assert report["dropped"] == {f"asked_in_{held_out}": 2}


def test_rows_of_one_split_may_ask_the_same() -> None:
    assert run([chat("How many eggs?", "test", "9"), chat("How many eggs?", "test", "nine of them")])[1] == []


def test_the_rows_of_a_group_are_in_one_split_that_only_its_name_tells() -> None:
    groups = {group: [make_row(Text(f"{group} {n}"), "", group) for n in range(5)] for group in map(str, range(100))}

    placed, _, _ = run([row for found in groups.values() for row in found])

    splits = {group: {placed[row.id][0] for row in found} for group, found in groups.items()}
    assert all(len(found) == 1 for found in splits.values())
    assert set().union(*splits.values()) == set(SPLITS)
    edited = {group: make_row(Text("wholly other"), "", group) for group in groups}
    assert {group: {split.split_of(row, PARAMS)} for group, row in edited.items()} == splits


def test_the_split_of_a_group_is_where_the_hash_of_its_name_falls() -> None:
    # SHA-256 of "d34" begins 1360, of "d5" 25f6, of "d1" 8b53, of 0x10000: test is below 0x1999, val below 0x2666
    found = [split.split_of(make_row(Text("t"), "", group), PARAMS) for group in ("d34", "d5", "d1")]
    assert found == ["test", "val", "train"]


def test_val_is_taken_from_a_given_train_split_only_where_asked_for() -> None:
    found = [Row(f"{start:0<24}", Text("t"), where) for start in ("0000", "0ccc", "0ccd", "ffff") for where in SPLITS]
    taking = msgspec.structs.replace(PARAMS, val_from_train=True)  # 0x0ccc.c… of 0x10000

    assert [split.split_of(row, PARAMS) for row in found] == [row.split for row in found]
    assert [split.split_of(row, taking) for row in found] == ["val", "val", "test"] * 2 + ["train", "val", "test"] * 2


def test_a_text_and_a_chat_are_not_compared() -> None:
    assert run([chat(FIRST, "test"), text(f"{FIRST}\nok", "train")])[1] == []


@pytest.mark.parametrize(
    ("time", "where"),
    [
        ("2026-01-30T23:59:59+00:00", "train"),
        ("2026-01-31T00:00:00+00:00", "val"),
        ("2026-02-01T10:59:59+00:00", "val"),
        ("2026-02-01T11:00:00+00:00", "test"),
        ("", "train"),
    ],
)
def test_by_time_a_row_is_where_its_time_falls_whatever_its_content(time: str, where: str) -> None:
    assert {split.split_of(make_row(Text(str(n)), "", "", time), BY_TIME) for n in range(40)} == {where}
    assert split.split_of(make_row(Text("t"), "val", "", time), BY_TIME) == "val", "the source gives it"


def test_golden_chats_are_written_apart_and_nothing_like_them_is_trained_on() -> None:
    there, like, like_test, new = chat(FIRST, "train"), chat(SECOND, "val"), chat(SECOND, "test"), chat("Why?")
    golden = [row.content for row in (there, new)]

    placed, leaks, report = run([there, like, text("other", "train")], golden=golden)

    assert {i: where for i, (where, _) in placed.items()} == {
        there.id: "golden", new.id: "golden", text("other").id: "train",
    }  # fmt: skip
    assert [leak[:5] for leak in leaks] == [(like.id, "val", there.id, "test", "similar_to_test")]
    assert (report["in"], report["out"], report["splits"]["test"]["golden"]) == (3, 2, 2)
    assert run([like_test], golden=golden)[0].keys() == {like_test.id, there.id, new.id}, (
        "what is held out may be like it"
    )


def test_what_shares_a_run_of_words_with_an_evaluation_set_is_not_trained_on() -> None:
    shared = "tell me how old is the oldest spider"
    train, val, test, other = (
        chat(shared, "train"),
        text(f"{shared}.", "val"),
        chat(shared, "test", "9"),
        text("x", "train"),
    )

    placed, told, report = run([train, val, test, other], evaluations=["nothing", "So how old is the oldest spider?"])

    assert placed.keys() == {test.id, other.id}
    assert told == sorted(
        (row.id, where, "contaminated", "e.txt:3", 6, "how old is the oldest spider")
        for row, where in ((train, "train"), (val, "val"))
    )
    assert (report["dropped"], report["contaminated"]) == ({"contaminated": 2}, {"e.txt": 2})


def test_a_contaminated_row_drops_no_other() -> None:
    val, train = chat(FIRST, "val"), chat(SECOND, "train")
    assert set(run([val, train])[0]) == {val.id}

    assert set(run([val, train], evaluations=["The first one: I ordered"])[0]) == {train.id}


LIKE = st.sampled_from([FIRST, SECOND, THIRD, FIRST.upper(), "yes", "no", ""])
MADE = st.builds(chat, LIKE | st.text(max_size=9)) | st.builds(text, LIKE | st.text(max_size=9))
TIMES = st.sampled_from(["", "2026-01-30T00:00:00+00:00", "2026-01-31T00:00:00+00:00", "2026-03-01T00:00:00+00:00"])
MADE_AND_GIVEN = st.builds(
    lambda row, s, time: Row(row.id, row.content, s, "", time), MADE, st.sampled_from(["", *SPLITS]), TIMES
)


@settings(max_examples=40)
@given(
    st.lists(MADE_AND_GIVEN, max_size=8), st.lists(MADE_AND_GIVEN, max_size=8), st.sampled_from([PARAMS, BY_TIME]),
)  # fmt: skip
def test_rows_added_later_never_move_a_row_and_every_row_is_placed_or_told(
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
