"""Planted copies, exact and near: the manifest lists all of them, and no other two rows are similar."""

import re
from collections import Counter, defaultdict

import ftfy
import pytest

from tests.data.dataset import CHATS, DIGITS, EMAIL, IBAN, PAIRS, PARAGRAPHS, PLANTED_PLACES, WHERE, Row, natural


def cleaned(text: str) -> str:
    for pattern, mark in ((EMAIL, "[EMAIL]"), (IBAN, "[IBAN]"), (DIGITS, "[NUMBER]")):
        text = pattern.sub(mark, text)
    return ftfy.fix_text(text)


def shingles(text: str) -> frozenset[str]:
    text = re.sub(r"\s+", " ", text.lower()).strip()
    return frozenset(text[at : at + 5] for at in range(len(text) - 4))


def similar(texts: list[str], limit: float) -> dict[tuple[int, int], float]:
    """{(i, j): similarity} of all pairs with a Jaccard similarity of at least `limit`.

    Exact, by prefix filtering: two such sets share one of their rarest shingles.
    """
    sets = [shingles(text) for text in texts]
    count = Counter(shingle for one in sets for shingle in one)
    index: dict[str, list[int]] = defaultdict(list)
    pairs = {}
    for number, one in enumerate(sets):
        prefix = sorted(one, key=lambda s: (count[s], s))[: len(one) - int(limit * len(one)) + 1]
        for other in {other for shingle in prefix for other in index[shingle]}:
            near_size = limit * len(one) <= len(sets[other]) <= len(one) / limit
            score = len(one & sets[other]) / len(one | sets[other]) if near_size else 0.0
            if score >= limit:
                pairs[other, number] = score
        for shingle in prefix:
            index[shingle].append(number)
    return pairs


@pytest.fixture(scope="module")
def chat_copies() -> dict[frozenset[str], float]:
    """{places of two similar chats: similarity}, without broken lines."""
    pairs = similar([row.measured() for row in CHATS], 0.80)
    return {frozenset((CHATS[a].place, CHATS[b].place)): score for (a, b), score in pairs.items()}


def test_exact_duplicates_are_exactly_the_planted_ones() -> None:
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in CHATS:
        groups[row.user, row.answer].append(row.place)
    copies = [places for places in groups.values() if len(places) > 1]
    assert len(copies) == 60
    natural_places = {row.place for row in natural(CHATS)}
    for places in copies:
        assert len(places) == 2
        assert len(WHERE["exact_duplicates"] & set(places)) == len(natural_places & set(places)) == 1
    assert {len({place.split(":")[0] for place in places}) for places in copies} == {1, 2}, "within and across"


def test_near_duplicates_are_near_exactly_one_natural_row(chat_copies: dict[frozenset[str], float]) -> None:
    answers = {row.place: row.answer for row in CHATS}
    near: dict[str, list[str]] = defaultdict(list)
    for pair, score in chat_copies.items():
        if score == 1.0:
            continue
        (copy,) = pair & WHERE["near_duplicates"]
        (original,) = pair - WHERE["near_duplicates"]
        assert original not in PLANTED_PLACES
        assert 0.87 <= score <= 0.99
        assert answers[copy] == answers[original]
        near[copy].append(original)
    assert near.keys() == WHERE["near_duplicates"]
    originals = [original for copies in near.values() for original in copies]
    assert len(originals) == len(set(originals)) == 80


def test_no_other_chat_rows_are_near_each_other(chat_copies: dict[frozenset[str], float]) -> None:
    planted = WHERE["near_duplicates"] | WHERE["exact_duplicates"]
    assert all(pair & planted for pair in chat_copies)
    rows = [row for row in CHATS if row.place not in planted]
    assert not similar([cleaned(row.measured()) for row in rows], 0.80)


@pytest.mark.parametrize("rows", [PAIRS, PARAGRAPHS], ids=["pairs", "paragraphs"])
def test_no_pairs_or_paragraphs_are_near_each_other(rows: list[Row]) -> None:
    assert not similar([row.measured() for row in rows], 0.80)
    assert not similar([cleaned(row.measured()) for row in rows], 0.80)


def test_the_similarity_measure_of_these_tests_finds_a_copy() -> None:
    texts = [
        "the kettle arrived with a crack",
        "where is my new toaster, please",
        "The kettle  arrived with a crac",
    ]
    # 27 shingles against 26 of them.
    assert similar(texts, 0.8) == {(0, 2): 26 / 27}
