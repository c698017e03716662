"""The nearest rows are those that a comparison with every row finds."""

from pathlib import Path

import pytest

from stages.params.data import Near
from stages.rows.row import Chat, Message, Pair, Row, Text, make_row
from stages.similarity import nearest
from stages.similarity.shingles import jaccard, plain, shingles

NEAR = Near(threshold=0.85, shingle_chars=5, permutations=128, bands=21, seed=1, threads=1)
WORDS = ["my", "order", "parcel", "refund", "late", "card", "invoice", "account", "password", "charge", "twice", "week"]


def chat(question: str, answer: str = "a") -> Row:
    return make_row(Chat([Message("system", "be brief"), Message("user", question), Message("assistant", answer)]))


def questions(count: int) -> list[str]:
    return [" ".join(WORDS[(n * k + n // 7) % len(WORDS)] for k in range(2, 9)) for n in range(count)]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_they_are_those_of_a_comparison_with_every_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest, "BLOCK", 16)
    texts = questions(120)
    rows, queries = [chat(text) for text in texts[:100]], texts[100:]

    found = nearest.nearest(rows, range(100), [chat(text, "other") for text in queries], NEAR, 3)

    for query, neighbours in zip(queries, found, strict=True):
        sets = [shingles(plain(text), 5) for text in (query, *texts[:100])]
        wanted = sorted((round(jaccard(sets[0], of), 4) for of in sets[1:]), reverse=True)[:3]
        assert [neighbour.similarity for neighbour in neighbours] == wanted
        for index, similarity in neighbours:
            assert similarity == round(jaccard(sets[0], sets[1 + index]), 4)


def test_only_the_given_rows_are_compared_and_none_without_anything_in_common() -> None:
    rows = [chat("where is my parcel?"), chat("where is my parcel now?"), chat("0123456789")]

    [found] = nearest.nearest(rows, [1, 2], [chat("Where is  my parcel?")], NEAR, 5)
    assert [neighbour.index for neighbour in found] == [1]
    assert nearest.nearest([], [], [rows[0]], NEAR, 5) == [[]]
    assert nearest.nearest(rows, [0], [], NEAR, 5) == []


def test_pairs_are_compared_by_their_question_and_texts_by_their_text() -> None:
    pair = make_row(Pair([Message("user", "where is it?")], [Message("assistant", "x")], [Message("assistant", "y")]))
    rows = [pair, make_row(Text("where is it?"))]

    [found] = nearest.nearest(rows, [0, 1], [chat("where is it?")], NEAR, 2)
    assert [(neighbour.index, neighbour.similarity) for neighbour in found] == [(0, 1.0), (1, 1.0)]
