"""Leaks: rows of training that would reveal a held-out row, because they are similar to it or ask its question."""

from collections.abc import Callable, Iterable, Sequence, Set
from pathlib import Path
from typing import NamedTuple

import numpy as np

from stages.params.data import Near
from stages.rows.row import SPLITS, Row
from stages.similarity.comparison import Comparison
from stages.similarity.near import SimilarPairs
from stages.splitting import questions

COMPARED_KINDS = {"chats": ("chat", "pair", "judged"), "texts": ("text",)}  # kinds that are compared with each other


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

    Question and answer together are too similar to those of the other row, or the question alone is: the same question
    may be answered in other words. Chats, pairs and judged answers are compared with each other: a preferred answer
    reveals a held-out question too. Contaminated rows neither drop nor are dropped.

    Args:
        split_of: the split of a row.
        contaminated: ids of rows that are dropped because of an evaluation set.
        memo: folder of the last search.
    """
    ids, kinds, ranks = [], [], []
    for row in rows:
        ids.append(row.id)
        kinds.append(row.kind)
        ranks.append(SPLITS.index(split_of(row)))
    leaks = []
    for name, compared_kinds in COMPARED_KINDS.items():
        group = [index for index, kind in enumerate(kinds) if kind in compared_kinds]
        leaks += _find_leaks(
            Comparison(rows, group, params), name == "chats", [ids[index] for index in group],
            np.array([ranks[index] for index in group], np.int64), contaminated, memo and memo / name,
        )  # fmt: skip
    return sorted(leaks)


def _find_leaks(
    compared: Comparison, asked: bool, ids: Sequence[str], ranks: np.ndarray, contaminated: Set[str], memo: Path | None
) -> list[Leak]:  # fmt: skip
    """`find_leaks` among rows that are all compared with each other; `ranks` are indices of SPLITS."""
    similar = compared.similar_together(compared.params, memo and memo / "rows", rejected=False)
    like = compared.like_questions(memo and memo / "questions") if asked else similar
    groups = _rows_of_one_question(compared) if asked else []
    gone = {place for place, id in enumerate(ids) if id in contaminated}
    leaks = []

    def drop(loser: int, winner: int, reason: str, similarity: float) -> None:
        if ranks[loser] < ranks[winner] and loser not in gone and winner not in gone:
            gone.add(loser)
            splits = SPLITS[ranks[loser]], SPLITS[ranks[winner]]
            leaks.append(
                Leak(ids[loser], splits[0], ids[winner], splits[1], f"{reason}_{splits[1]}", round(similarity, 4))
            )

    # The strongest split first: what a row of val drops is known only when it is known which of them stay.
    for rank in range(len(SPLITS) - 1, 0, -1):
        for reason, found in (("similar_to", similar), ("asked_in", like)):
            for loser, winner, similarity in _pairs_won_by(rank, found, ranks):
                drop(loser, winner, reason, similarity)
        for group in groups:
            winner = next((place for place in group if ranks[place] == rank and place not in gone), None)
            for loser in group if winner is not None else ():
                drop(loser, winner, "asked_in", 1.0)
    return leaks


def _pairs_won_by(rank: int, found: SimilarPairs, ranks: np.ndarray) -> Iterable[tuple[int, int, float]]:
    """Each pair of a row in the split `rank` and one in a weaker split, as (weaker, stronger, similarity)."""
    of_pairs = ranks[found.pairs]
    mixed = (of_pairs.max(axis=1, initial=0) == rank) & (of_pairs[:, 0] != of_pairs[:, 1])
    pairs = np.where((of_pairs[:, 0] < of_pairs[:, 1])[:, None], found.pairs, found.pairs[:, ::-1])[mixed]
    return zip(*pairs.T.tolist(), found.similarities[mixed].tolist(), strict=True) if len(pairs) else ()


def _rows_of_one_question(compared: Comparison) -> list[list[int]]:
    """The rows of each question that several ask."""
    places: dict[bytes, list[int]] = {}
    for place in range(len(compared)):
        places.setdefault(questions.hash_text(compared.sides(place).question), []).append(place)
    return [group for group in places.values() if len(group) > 1]
