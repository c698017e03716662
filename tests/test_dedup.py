"""Duplicates: one row of each cluster is kept, whatever the order of rows."""

import json
import random
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages import dedup
from stages.params.data import Dedup, Near
from stages.rows import jsonl
from stages.rows.row import Chat, Content, Message, Pair, Row, Text, make_row

NEAR = Near(threshold=0.85, shingle_chars=5, permutations=128, bands=21, seed=1, threads=1)
PARAMS = Dedup(near=NEAR, encoder="recipes/no_encoder.json", semantic=None)
LONG = "Where is the toaster that I ordered on Monday? The courier says that it was handed over to a neighbour."
TYPO = LONG.replace("toaster", "toster")
OTHER = "Do you have the frother in black, or is it sold out? I would like to give it to my brother on Friday."


def chat(text: str, split: str = "") -> Row:
    return make_row(Chat([Message("user", text), Message("assistant", "ok")]), split)


def find_duplicates(rows: Sequence[Row]) -> list[dedup.Duplicate]:
    return dedup.find_duplicates(rows, PARAMS)


def by_id(*rows: Row) -> list[Row]:
    return sorted(rows, key=lambda r: r.id)


def test_rows_that_differ_in_case_and_spaces_only_are_exact_duplicates() -> None:
    kept, *rest = by_id(chat(LONG), chat(LONG.upper()), chat(LONG.replace(" ", "\n ")))

    expected = sorted((row.id, kept.id, "exact_duplicate", 1.0) for row in rest)
    assert find_duplicates([*rest, kept, chat(OTHER)]) == expected


def test_a_row_with_a_typo_is_a_near_duplicate_of_the_row_with_the_smallest_id() -> None:
    kept, other = by_id(chat(LONG), chat(TYPO))

    # 102 characters, 98 shingles: the lost letter was in 5 of them, 4 new ones go over the gap: 93 / (98 + 4)
    assert find_duplicates([other, kept, chat(OTHER)]) == [(other.id, kept.id, "near_duplicate", 0.9118)]


@pytest.mark.parametrize("text", [LONG.upper(), TYPO])
@pytest.mark.parametrize(
    ("first", "second", "kept"), [("test", "train", 0), ("val", "train", 0), ("val", "test", 1), ("", "val", 1)]
)
def test_the_row_in_the_strongest_split_is_kept_whatever_its_id(text: str, first: str, second: str, kept: int) -> None:
    for one, two in ((LONG, text), (text, LONG)):
        pair = [chat(one, first), chat(two, second)]
        assert [d[:2] for d in find_duplicates(pair)] == [(pair[1 - kept].id, pair[kept].id)]


def test_a_chain_of_near_duplicates_is_one_cluster_with_similarities_to_the_kept_row() -> None:
    links = [chat(LONG), chat(TYPO), chat(TYPO.replace("neighbour", "neighbor"))]  # the ends are 88 / 106 alike
    middle_kept = [Row(r.id, r.content, "test" if r is links[1] else "") for r in links]
    end_kept = [Row(r.id, r.content, "test" if r is links[0] else "") for r in links]

    assert [d[1:3] for d in find_duplicates(middle_kept)] == [(links[1].id, "near_duplicate")] * 2
    assert {d.id: d.similarity for d in find_duplicates(end_kept)} == {links[1].id: 0.9118, links[2].id: 0.8302}


def test_a_copy_of_a_near_duplicate_points_to_the_kept_row_too() -> None:
    rows = [chat(LONG, "test"), chat(TYPO), chat(TYPO.upper())]

    assert [d[1:] for d in find_duplicates(rows)] == [(rows[0].id, "near_duplicate", 0.9118)] * 2


def test_rows_that_their_source_gave_to_test_are_all_kept() -> None:
    first, second = by_id(chat(LONG, "test"), chat(TYPO, "test"))
    third = chat(LONG.upper(), "val")

    assert [d[:3] for d in find_duplicates([first, second, third])] in (
        [(third.id, first.id, "exact_duplicate")],
        [(third.id, first.id, "near_duplicate")],
    )


def test_rows_of_different_kinds_are_never_duplicates() -> None:
    question, answer = [Message("user", LONG)], [Message("assistant", OTHER)]
    contents: list[Content] = [Text(f"{LONG}\n{OTHER}"), Chat(question + answer), Pair(question, answer, answer)]

    assert find_duplicates([make_row(content) for content in contents]) == []


def test_short_and_empty_rows_are_duplicates_only_if_equal() -> None:
    rows = [make_row(Text(text)) for text in ("", " ", "a", "b", "A")]

    assert sorted(d[:2] for d in find_duplicates(rows)) == sorted(
        (dropped.id, kept.id) for kept, dropped in (by_id(*rows[:2]), by_id(rows[2], rows[4]))
    )


WORDS = st.sampled_from(["toaster", "Toaster", "kettle ", "is", "broken", "?"])
TEXTS = st.lists(WORDS, max_size=6).map(" ".join) | st.sampled_from([LONG, TYPO, OTHER, LONG.upper()])
SPLITS = st.sampled_from(["", "train", "val", "test"])
ROWS = st.lists(st.builds(chat, TEXTS, SPLITS) | st.builds(make_row, st.builds(Text, TEXTS), SPLITS), max_size=12)


@settings(max_examples=30)
@given(ROWS, st.randoms(use_true_random=False))
def test_every_row_is_kept_or_points_to_a_kept_row_in_any_order(rows: list[Row], order: random.Random) -> None:
    rows = list({row.id: row for row in rows}.values())
    duplicates = find_duplicates(rows)
    order.shuffle(rows)

    gone, ids = [duplicate.id for duplicate in duplicates], {row.id for row in rows}
    assert find_duplicates(rows) == duplicates
    assert len(gone) == len(set(gone)) and {duplicate.kept for duplicate in duplicates} <= ids - set(gone)
    assert not find_duplicates([row for row in rows if row.id not in gone])


def test_the_stage_accounts_for_every_row(tmp_path: Path) -> None:
    rows = [chat(LONG), chat(TYPO), chat(OTHER), chat(OTHER.upper()), make_row(Text(LONG))]
    jsonl.write(tmp_path / "in", rows)

    line = dedup.main(*(tmp_path / name for name in ("in", "encoder", "out", "duplicates", "report", "memo")), PARAMS)

    out = jsonl.read(tmp_path / "out")
    duplicates = pyarrow.parquet.read_table(tmp_path / "duplicates").to_pylist()
    assert sorted(d["reason"] for d in duplicates) == ["exact_duplicate", "near_duplicate"]
    assert by_id(*rows) == by_id(*out, *(row for row in rows if row.id in {d["id"] for d in duplicates}))
    assert json.loads((tmp_path / "report").read_bytes()) == {
        "in": 5,
        "out": 3,
        "dropped": {"exact_duplicate": 1, "near_duplicate": 1},
        "clusters": 2,
    }
    assert line == "5 rows in, 3 out, 2 dropped (exact_duplicate 1, near_duplicate 1)"
