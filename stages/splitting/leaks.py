"""Leaks: rows of training that would reveal a held-out row, because they are similar to it or ask its question."""

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from stages.params.data import Near
from stages.rows.row import SPLITS, Row
from stages.similarity.comparison import Comparison
from stages.similarity.near import SimilarPairs
from stages.splitting import questions

OPENING_WAYS = 4  # in which dialogues go on from what is no more than an opening; one with branches has two or three


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
    may be answered in other words. Or all turns of one row are the first ones of the other: a dialogue may have a row
    for each of its turns. Not so for an opening, from which dialogues go on in many ways. All kinds are compared with
    each other: a preferred answer reveals a held-out question too, and so does a text that has a chat. Contaminated
    rows neither drop nor are dropped.

    Args:
        split_of: the split of a row.
        contaminated: ids of rows that are dropped because of an evaluation set.
        memo: folder of the last search.
    """
    ids, ranks, asking = [], [], []
    for place, row in enumerate(rows):
        ids.append(row.id)
        ranks.append(SPLITS.index(split_of(row)))
        asking += [place] if row.kind != "text" else []
    compared = Comparison(rows, range(len(ids)), params)
    similar = compared.similar_together(params, memo and memo / "rows", rejected=False)
    like = compared.only(asking).like_questions(memo and memo / "questions")
    like = like._replace(pairs=np.array(asking, np.int64)[like.pairs])
    groups = [*_rows_of_one_question(compared, asking), *_rows_of_one_dialogue(rows, asking)]
    return sorted(_find_leaks(ids, np.array(ranks, np.int64), contaminated, similar, like, groups))


def _find_leaks(
    ids: Sequence[str], ranks: np.ndarray, contaminated: Set[str], similar: SimilarPairs, like: SimilarPairs,
    groups: Sequence[Sequence[int]],
) -> list[Leak]:  # fmt: skip
    """`find_leaks` by pairs and groups of rows; `ranks` are indices of SPLITS."""
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


def _rows_of_one_question(compared: Comparison, asking: Sequence[int]) -> list[list[int]]:
    """The rows of each question that several ask."""
    places: dict[bytes, list[int]] = {}
    for place in asking:
        places.setdefault(questions.hash_text(compared.sides(place).question), []).append(place)
    return [group for group in places.values() if len(group) > 1]


def _rows_of_one_dialogue(rows: Sequence[Row], asking: Sequence[int]) -> Iterator[list[int]]:
    """Each row whose turns begin with all turns of others, and these; but for openings, such as greetings."""
    whole: dict[bytes, list[int]] = {}
    long = []
    for place in asking:
        *begun, last = questions.hashes_of_turns(rows[place])
        whole.setdefault(last, []).append(place)
        long += [place] if len(begun) > 1 else []
    ways: dict[bytes, set[bytes]] = {}  # in which rows go on from all turns of another one
    starts = []
    for place in long:
        turns = list(questions.hashes_of_turns(rows[place]))
        for start, next_turn in pairwise(turns):
            if start in whole:
                ways.setdefault(start, set()).add(next_turn)
        starts.append([start for start in turns[:-1] if start in whole])
    for place, begun in zip(long, starts, strict=True):
        shorter = [other for start in begun if len(ways[start]) < OPENING_WAYS for other in whole[start]]
        if shorter:
            yield [place, *shorter]
