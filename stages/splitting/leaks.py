"""Leaks: rows of training that would reveal a held-out row, because they are similar to it or ask its question."""

from collections.abc import Callable, Iterable, Sequence, Set
from pathlib import Path
from typing import NamedTuple

import numpy as np

from stages.params.data import Near
from stages.rows.mapped_rows import RowTexts
from stages.rows.row import SPLITS, Row
from stages.similarity import near
from stages.similarity.memo import SearchMemo
from stages.similarity.packed_texts import PackedTexts
from stages.splitting import questions

COMPARED_KINDS = {"chats": ("chat", "pair"), "texts": ("text",)}  # kinds that are compared with each other


class Leak(NamedTuple):
    """A row that is dropped because it would reveal a row in a stronger split."""

    id: str
    split: str
    kept: str
    kept_split: str
    reason: str
    similarity: float


def find_leaks(
    rows: Sequence[Row], split_of: Callable[[Row], str], params: Near, contaminated: Set[str], memo: Path | None
) -> list[Leak]:  # fmt: skip
    """Rows to drop because of a row in a stronger split (test over val over train), sorted.

    They are too similar to it, or ask the same question and may answer it in other words. Chats and pairs are compared
    with each other: a preferred answer reveals a held-out question too. Contaminated rows neither drop nor are dropped.

    Args:
        split_of: the split of a row.
        contaminated: ids of rows that are dropped because of an evaluation set.
        memo: folder of the last search.
    """
    ids, kinds, ranks, questions_asked = [], [], [], []
    for row in rows:
        ids.append(row.id)
        kinds.append(row.kind)
        ranks.append(SPLITS.index(split_of(row)))
        questions_asked.append(questions.question_hash(row))
    leaks = []
    for name, compared_kinds in COMPARED_KINDS.items():
        group = [index for index, kind in enumerate(kinds) if kind in compared_kinds]
        leaks += _find_leaks(
            RowTexts(rows, group, questions.comparable_text), [ids[index] for index in group],
            np.array([ranks[index] for index in group], np.int64), [questions_asked[index] for index in group],
            params, contaminated, memo and memo / name,
        )  # fmt: skip
    return sorted(leaks)


def _find_leaks(
    texts: Sequence[str], ids: Sequence[str], ranks: np.ndarray, question_hashes: Sequence[bytes], params: Near,
    contaminated: Set[str], memo: Path | None,
) -> list[Leak]:  # fmt: skip
    """`find_leaks` among rows that are all compared with each other; `ranks` are indices of SPLITS."""
    search_memo = SearchMemo(memo, ids, params.permutations) if memo else None
    similar = near.find_pairs(texts, params, search_memo)
    same_question = _pairs_of_one_question(question_hashes, ranks)
    pairs = np.concatenate([similar.pairs, same_question])
    similarities = np.concatenate([similar.similarities, near.compare(PackedTexts(texts), same_question, params)])
    gone = {place for place, id in enumerate(ids) if id in contaminated}
    leaks = []
    # The strongest split first, so that a row dropped from val drops nothing from train.
    for number in np.argsort(-ranks[pairs].max(axis=1, initial=0), kind="stable"):
        loser, winner = sorted(pairs[number].tolist(), key=lambda place: ranks[place])
        if ranks[loser] < ranks[winner] and loser not in gone and winner not in gone:
            gone.add(loser)
            split, kept_split = SPLITS[ranks[loser]], SPLITS[ranks[winner]]
            reason = f"{'similar_to' if number < len(similar.pairs) else 'asked_in'}_{kept_split}"
            similarity = round(float(similarities[number]), 4)
            leaks.append(Leak(ids[loser], split, ids[winner], kept_split, reason, similarity))
    return leaks


def _pairs_of_one_question(question_hashes: Iterable[bytes], ranks: np.ndarray) -> np.ndarray:
    """Pairs (n, 2) of each row that asks the question of a row in a stronger split, with the strongest such row."""
    places: dict[bytes, list[int]] = {}
    for place, question in enumerate(question_hashes):
        if question:
            places.setdefault(question, []).append(place)
    pairs = []
    for group in places.values():
        strongest = max(group, key=lambda place: ranks[place])
        pairs += [(place, strongest) for place in group if ranks[place] < ranks[strongest]]
    return np.array(pairs, np.int64).reshape(-1, 2)
