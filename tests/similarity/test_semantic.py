"""Semantic duplicates: the search finds what comparing all pairs finds, and which row is kept."""

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
from stages.similarity.comparison import Comparison
from tests import made_up_encoder
from tests.made_up_encoder import CARD, CARD_SHUFFLED, TOASTER, WORDS, D, encode, params


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_up_encoder.bag(tmp_path_factory.mktemp("bag"))


def test_a_text_of_too_many_tokens_or_none_is_not_compared(bag: Path) -> None:
    search = semantic.Search(bag, params(max_tokens=3), None)
    rows = [text(words) for words in ("my card is", "", "my card is where", "is my card")]

    pairs, similarities = search.find_pairs("text", Comparison(rows, range(4), params().near))

    assert pairs.tolist() == [[0, 3]] and similarities.tolist() == pytest.approx([1])
    assert search.counts() == {"compared": 2, "over_long": 2}


def unit_vectors(n: int, seed: int) -> np.ndarray:
    """Vectors of length 1 around a few directions, so that some are similar, (n, 8)."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(max(1, n // 3), 8))
    vectors = centres[random.integers(0, len(centres), n)] + random.normal(0, 0.2, (n, 8))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@settings(max_examples=30)
@given(st.integers(1, 40), st.integers(0, 1000), st.sampled_from([0.8, 0.95, 1.0]))
def test_every_pair_at_the_threshold_is_found_and_no_other(n: int, seed: int, threshold: float) -> None:
    vectors = unit_vectors(n, seed)
    wide = vectors.astype(np.float64)
    exact = wide @ wide.T / np.outer(np.linalg.norm(wide, axis=1), np.linalg.norm(wide, axis=1))
    expected = [(a, b) for a in range(n) for b in range(a + 1, n) if exact[a, b] >= threshold]

    pairs = semantic.find_pairs(vectors, params(threshold=threshold, neighbours=n).semantic, 1)
    assert sorted(map(tuple, pairs.tolist())) == expected


def test_a_row_is_compared_with_its_nearest_neighbours() -> None:
    angles = np.array([0.0, 0.1, 0.3, 0.31])  # the first is nearest to the second, and so on
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)

    pairs = semantic.find_pairs(vectors, params(threshold=0.9, neighbours=1).semantic, 1)
    assert pairs.tolist() == [[0, 1], [2, 3]]
    assert len(semantic.find_pairs(vectors, params(threshold=0.9, neighbours=3).semantic, 1)) == 6


def test_the_index_finds_what_comparing_all_finds_and_is_reproducible() -> None:
    vectors, settings_ = unit_vectors(3000, 1), params(threshold=0.97, neighbours=32).semantic
    expected = semantic.find_pairs(vectors, settings_, 1)

    first, again, by_two = (semantic.find_pairs(vectors, settings_, threads, max_exact=0) for threads in (1, 1, 2))
    assert len(expected) > 1000
    assert len(set(map(tuple, first.tolist())) & set(map(tuple, expected.tolist()))) >= 0.99 * len(expected)
    assert first.tobytes() == again.tobytes() == by_two.tobytes()


def text(words: str, split: str = "") -> Row:
    return make_row(Text(words), split)


def duplicates(folder: Path, rows: Sequence[Row], **changes: Any) -> list[dedup.Duplicate]:
    search = semantic.Search(folder, params(**changes), None)
    return dedup.find_duplicates(rows, params(**changes), None, search)[0]


def test_the_row_in_the_strongest_split_is_kept_else_the_smallest_id(bag: Path) -> None:
    for splits, strongest in ((("", ""), None), (("val", ""), 0), (("", "test"), 1), (("val", "test"), 1)):
        pair = [text(words, split) for words, split in zip((CARD, CARD_SHUFFLED), splits, strict=True)]
        kept = min(pair, key=lambda row: row.id) if strongest is None else pair[strongest]
        [dropped] = [row for row in pair if row is not kept]
        assert duplicates(bag, [*pair, text(TOASTER)]) == [(dropped.id, kept.id, "semantic_duplicate", 1.0)]


def test_rows_that_their_source_gave_to_test_are_all_kept(bag: Path) -> None:
    assert duplicates(bag, [text(CARD, "test"), text(CARD_SHUFFLED, "test")]) == []


def test_rows_of_different_kinds_are_not_compared(bag: Path) -> None:
    assert duplicates(bag, [chat(CARD, "is where ?"), text(CARD)]) == []


def chat(question: str, answer: str, system: str = "") -> Row:
    turns = [Message("system", system)] if system else []
    return make_row(Chat([*turns, Message("user", question), Message("assistant", answer)]))


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (chat(CARD_SHUFFLED, "the toaster"), True),
        (chat(CARD_SHUFFLED, "toaster , the"), False),  # 2 / sqrt(6) = 0.82
        (chat(TOASTER, "the toaster"), False),
        (chat(CARD_SHUFFLED, "the toaster 7"), False),  # a number of the answer
        (chat(CARD_SHUFFLED, "the toaster", "please"), False),  # another system prompt
    ],
)
def test_rows_say_the_same_where_question_and_answer_do_each_on_its_own(bag: Path, other: Row, same: bool) -> None:
    assert len(duplicates(bag, [chat(CARD, "toaster the"), other])) == same


def test_an_answer_that_many_questions_have_makes_no_rows_alike(bag: Path) -> None:
    answer = "the toaster that i ordered on monday has not come yet"
    questions = [f"{a} {b}" for a in ("where", "is", "my") for b in ("card", "please", "monday")]  # cosines up to 0.5

    assert duplicates(bag, [chat(question, answer) for question in questions], threshold=0.6) == []


def test_of_a_chain_only_rows_near_a_kept_one_are_dropped(bag: Path) -> None:
    words = ["where is my card please", "is my card please the", "my card please the toaster"]  # 4 / 5 in common; 3 / 5
    rows = [text(part, split) for part, split in zip(words, ("test", "val", ""), strict=True)]

    assert [d[:2] for d in duplicates(bag, rows, threshold=0.75)] == [(rows[1].id, rows[0].id)]


def test_copies_of_a_semantic_duplicate_point_to_its_kept_row_too(bag: Path) -> None:
    copies = sorted([text(CARD), text(CARD.upper())], key=lambda row: row.id)
    kept = text(CARD_SHUFFLED, "val")

    assert duplicates(bag, [*copies, kept]) == [(row.id, kept.id, "semantic_duplicate", 1.0) for row in copies]


SENTENCES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join)


@settings(max_examples=15)
@given(
    st.lists(st.builds(text, SENTENCES, st.sampled_from(["", "train", "val", "test"])), max_size=12),
    st.randoms(use_true_random=False),
)
def test_no_two_kept_rows_are_similar_whatever_the_order(bag: Path, rows: list[Row], order: random.Random) -> None:
    rows = list({row.id: row for row in rows}.values())
    dropped = duplicates(bag, rows, threshold=0.8, neighbours=16)
    order.shuffle(rows)

    gone = {duplicate.id for duplicate in dropped}
    left = [row for row in rows if row.id not in gone]
    assert duplicates(bag, rows, threshold=0.8, neighbours=16) == dropped
    assert len(gone) == len(dropped) and {duplicate.kept for duplicate in dropped} <= {row.id for row in left}
    vectors = encode(bag, [row.content.text for row in left]) if left else np.empty((0, D))
    for a, b in zip(*np.nonzero(vectors @ vectors.T >= 0.8 + 1e-6), strict=True):
        assert a == b or left[a].split == left[b].split == "test"


def test_the_stage_reports_how_many_rows_were_compared(bag: Path, tmp_path: Path) -> None:
    jsonl.write(tmp_path / "in", [text(CARD), text(CARD_SHUFFLED), text(TOASTER)])
    paths = [tmp_path / name for name in ("out", "duplicates", "conflicts", "report", "memo")]

    line = dedup.main(tmp_path / "in", bag, *paths, params(max_tokens=8))

    assert line == "3 rows in, 2 out, 1 dropped (semantic_duplicate 1); 1 too long to embed"
    assert json.loads((tmp_path / "report").read_bytes()) == {
        "in": 3, "out": 2, "dropped": {"semantic_duplicate": 1}, "clusters": 1, "conflicting": 0,
        "semantic": {"compared": 2, "over_long": 1},
    }  # fmt: skip
    [duplicate] = pyarrow.parquet.read_table(tmp_path / "duplicates").to_pylist()
    assert duplicate["reason"] == "semantic_duplicate" and duplicate["similarity"] == 1.0
