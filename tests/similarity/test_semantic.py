"""Rows that say the same in other words: the search finds what comparing all finds, and who stands for whom."""

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages import dedup
from stages.rows import jsonl
from stages.rows.row import Chat, Message, Row, Text, make_row
from stages.similarity import semantic
from tests import made_up_encoder
from tests.made_up_encoder import CARD, CARD_SHUFFLED, TOASTER, WORDS, D, params, read


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_up_encoder.bag(tmp_path_factory.mktemp("bag"))


def test_a_text_that_is_too_long_or_has_no_token_is_not_compared(bag: Path) -> None:
    chosen = params(max_tokens=3)
    search = semantic.Search(bag, chosen, None)

    assert search.find("text", ["a", "b", "c", "d"], ["my card is", "", "my card is where", "is my card"]) == [
        semantic.Stood(3, 0, pytest.approx(1))
    ]
    assert search.told() == {"compared": 2, "over_long": 2}


def unit(n: int, seed: int) -> np.ndarray:
    """Vectors of length 1 about a few directions, so that some are alike."""
    draw = np.random.default_rng(seed)
    found = draw.normal(size=(max(1, n // 3), 8))[draw.integers(0, max(1, n // 3), n)] + draw.normal(0, 0.2, (n, 8))
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


@settings(max_examples=30)
@given(st.integers(1, 40), st.integers(0, 1000), st.sampled_from([0.8, 0.95, 1.0]))
def test_every_pair_at_the_threshold_is_found_and_no_other(n: int, seed: int, threshold: float) -> None:
    vectors = unit(n, seed)
    wide = vectors.astype(np.float64)
    exact = wide @ wide.T / np.outer(np.linalg.norm(wide, axis=1), np.linalg.norm(wide, axis=1))
    expected = [(a, b) for a in range(n) for b in range(a + 1, n) if exact[a, b] >= threshold]

    found = semantic.alike(vectors, params(threshold=threshold, neighbours=n).semantic, 1)
    assert sorted(map(tuple, found.tolist())) == expected


def test_a_row_is_held_against_its_nearest_ones() -> None:
    angles = np.array([0.0, 0.1, 0.3, 0.31])  # the first is nearest to the second, and so on
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)

    found = semantic.alike(vectors, params(threshold=0.9, neighbours=1).semantic, 1)
    assert found.tolist() == [[0, 1], [2, 3]]
    assert len(semantic.alike(vectors, params(threshold=0.9, neighbours=3).semantic, 1)) == 6


def test_the_index_finds_what_comparing_all_finds_and_the_same_each_time() -> None:
    vectors, chosen = unit(3000, 1), params(threshold=0.97, neighbours=32).semantic
    expected = semantic.alike(vectors, chosen, 1)

    once, again, by_two = (semantic.alike(vectors, chosen, threads, exact=0) for threads in (1, 1, 2))
    assert len(expected) > 1000
    assert len(set(map(tuple, once.tolist())) & set(map(tuple, expected.tolist()))) >= 0.99 * len(expected)
    assert once.tobytes() == again.tobytes() == by_two.tobytes()


def text(words: str, split: str = "") -> Row:
    return make_row(Text(words), split)


def found(folder: Path, given_rows: Sequence[Row], **changes: Any) -> list[dedup.Dropped]:
    search = semantic.Search(folder, params(**changes), None)
    return dedup.find_meant(given_rows, dedup.find(given_rows, params(**changes)), search)


def test_the_row_given_to_the_split_that_wins_stays_else_the_smallest_id(bag: Path) -> None:
    for splits, stays in ((("", ""), None), (("val", ""), 0), (("", "test"), 1), (("val", "test"), 1)):
        pair = [text(words, split) for words, split in zip((CARD, CARD_SHUFFLED), splits, strict=True)]
        kept = min(pair, key=lambda row: row.id) if stays is None else pair[stays]
        [gone] = [row for row in pair if row is not kept]
        assert found(bag, [*pair, text(TOASTER)]) == [(gone.id, kept.id, "semantic_duplicate", 1.0)]


def test_a_test_split_that_the_source_gave_stays_whole(bag: Path) -> None:
    assert found(bag, [text(CARD, "test"), text(CARD_SHUFFLED, "test")]) == []


def test_kinds_are_apart(bag: Path) -> None:
    chat = make_row(Chat([Message("user", "card my"), Message("assistant", "is where ?")]))

    assert found(bag, [chat, text(CARD)]) == []


def test_what_a_dropped_row_stood_for_is_stood_for_by_what_stands_for_it(bag: Path) -> None:
    copies = sorted([text(CARD), text(CARD.upper())], key=lambda row: row.id)
    kept = text(CARD_SHUFFLED, "val")

    assert found(bag, [*copies, kept]) == [(row.id, kept.id, "semantic_duplicate", 1.0) for row in copies]


SENTENCES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join)


@settings(max_examples=15)
@given(
    st.lists(st.builds(text, SENTENCES, st.sampled_from(["", "train", "val", "test"])), max_size=12),
    st.randoms(use_true_random=False),
)
def test_no_two_kept_rows_say_the_same_in_any_order(bag: Path, given_rows: list[Row], order: random.Random) -> None:
    given_rows = list({row.id: row for row in given_rows}.values())
    dropped = found(bag, given_rows, threshold=0.8, neighbours=16)
    order.shuffle(given_rows)

    gone = {drop[0] for drop in dropped}
    left = [row for row in given_rows if row.id not in gone]
    assert found(bag, given_rows, threshold=0.8, neighbours=16) == dropped
    assert len(gone) == len(dropped) and {drop[1] for drop in dropped} <= {row.id for row in left}
    vectors = read(bag, [row.content.text for row in left]) if left else np.empty((0, D))
    for a, b in zip(*np.nonzero(vectors @ vectors.T >= 0.8 + 1e-6), strict=True):
        assert a == b or left[a].split == left[b].split == "test"


def test_the_stage_tells_what_it_compared(bag: Path, tmp_path: Path) -> None:
    given_rows = [text(CARD), text(CARD_SHUFFLED), text(TOASTER)]
    jsonl.write(tmp_path / "in", given_rows)
    paths = [tmp_path / name for name in ("out", "duplicates", "report", "memo")]

    line = dedup.main(tmp_path / "in", bag, *paths, params(max_tokens=8))

    assert line == "3 rows in, 2 out, 1 dropped (semantic_duplicate 1); 1 too long to compare in meaning"
    assert json.loads((tmp_path / "report").read_bytes()) == {
        "in": 3, "out": 2, "dropped": {"semantic_duplicate": 1}, "clusters": 1,
        "semantic": {"compared": 2, "over_long": 1},
    }  # fmt: skip
    [told] = pyarrow.parquet.read_table(tmp_path / "duplicates").to_pylist()
    assert told["reason"] == "semantic_duplicate" and told["similarity"] == 1.0
