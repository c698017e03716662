"""Drops rows that say what another row says: question and answer are equal, edited copies, or the same in other words.

Inputs:  cleaned       JSONL canonical rows
         encoder       folder of a model, or its pin of the hub, whose embeddings are compared; with semantic: null a
                       file that is not read
Outputs: deduplicated  JSONL canonical rows: all that their source gave to test (so that figures stay comparable), then
                       each that is not alike to a kept one: first those that it gave to val, then by id
         duplicates    Parquet {id, kept, reason, similarity}: each dropped row, a kept row that it is alike to, and
                       their Jaccard similarity (for a `semantic_duplicate` the cosine) in the side, question or
                       answer, that is least alike; for `conflicting` that of the questions
         conflicts     Parquet {id, other, reason, similarity}: kept rows whose question is alike to that of another
                       kept row: `other_answers`, or `other_words` of question or system prompt, which only a word that
                       counts keeps apart; the similarity of the questions
         report        JSON {in, out, dropped, clusters, conflicting}; and, if embeddings are compared, semantic:
                       {compared, over_long}: numbers of rows that were compared, and of rows with too many tokens
Params:  dedup
"""

import importlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from modelmake import harness
from modelmake.errors import UserError
from modelmake.signature import In, Memo, Out
from stages.params.data import Dedup
from stages.rows import accounting, parquet_table
from stages.rows.mapped_rows import MappedRows
from stages.rows.row import KINDS, SPLITS, Row
from stages.similarity import conflicts as conflicting
from stages.similarity.comparison import Comparison
from stages.similarity.selection import select
from stages.similarity.sides import excerpt

if TYPE_CHECKING:
    from stages.similarity.semantic import Search

TEST_RANK = -SPLITS.index("test")  # of rows that are never dropped
SHOWN_CLUSTERS = 3


class Duplicate(NamedTuple):
    """A row that is dropped, and a row that is kept and alike to it."""

    id: str
    kept: str
    reason: str
    similarity: float


class Conflict(NamedTuple):
    """Two kept rows with like questions that do not say the same."""

    id: str
    other: str
    reason: str
    similarity: float


def find_duplicates(
    rows: Sequence[Row], params: Dedup, memo: Path | None = None, search: "Search | None" = None
) -> tuple[list[Duplicate], list[Conflict]]:
    """The rows to drop, and the kept ones that conflict, both sorted.

    Args:
        memo: folder of the last search.
        search: for semantic duplicates.
    """
    ranked: dict[str, list[tuple[int, str, int]]] = {kind: [] for kind in KINDS}  # kind -> (rank of split, id, row)
    for index, row in enumerate(rows):
        ranked[row.kind].append((-SPLITS.index(row.split or "train"), row.id, index))
    duplicates, conflicts = [], []
    for kind, order in ranked.items():
        order.sort()
        ids, held = [id for _, id, _ in order], [rank == TEST_RANK for rank, _, _ in order]
        everything = Comparison(rows, [index for _, _, index in order], params.near)
        groups = everything.equal_rows()  # in the order of their first rows
        firsts = [group[0] for group in groups]
        comparison = everything.only(firsts)
        folder = memo and memo / kind
        edges = {"near_duplicate": comparison.like_rows(folder and folder / "rows")}
        if search:
            edges["semantic_duplicate"] = search.find_pairs(kind, comparison)
        opposed = conflicting.find(kind, comparison, folder and folder / "questions")
        if params.conflicting == "drop":
            edges["conflicting"] = opposed.other_answers
        losses = select([held[first] for first in firsts], edges)
        for place, group in enumerate(groups):
            kept, near, similarity = losses.get(place, (place, "near_duplicate", 1.0))
            for row in group[place not in losses :]:
                if not held[row]:
                    exact = place not in losses and everything.sides(row) == everything.sides(group[0])
                    reason = "exact_duplicate" if exact else near
                    duplicates.append(Duplicate(ids[row], ids[firsts[kept]], reason, round(similarity, 4)))
        for reason, found in opposed._asdict().items():
            for (a, b), similarity in zip(found.pairs.tolist(), found.similarities.tolist(), strict=True):
                if a not in losses and b not in losses:
                    one, other, rounded = comparison.ids[a], comparison.ids[b], round(similarity, 4)
                    conflicts += [Conflict(one, other, reason, rounded), Conflict(other, one, reason, rounded)]
    return sorted(duplicates), _one_each(conflicts)


def check_fraction(rows: Sequence[Row], duplicates: Sequence[Duplicate], params: Dedup) -> None:
    """Checks that no more rows are dropped than was declared.

    Raises:
        UserError: more are; it shows the largest clusters.
    """
    if len(duplicates) <= params.max_dropped_fraction * len(rows):
        return
    clusters = Counter(duplicate.kept for duplicate in duplicates).most_common(SHOWN_CLUSTERS)
    farthest: dict[str, Duplicate] = {}
    for duplicate in sorted(duplicates, key=lambda duplicate: duplicate.similarity):
        farthest.setdefault(duplicate.kept, duplicate)
    shown = {id for kept, _ in clusters for id in (kept, farthest[kept].id)}
    excerpts = {row.id: excerpt(row) for row in rows if row.id in shown}
    lines = (
        f"{count + 1} rows as {excerpts[kept]}, the least alike {excerpts[farthest[kept].id]} "
        f"({farthest[kept].reason}, {farthest[kept].similarity})"
        for kept, count in clusters
    )
    share = len(duplicates) / len(rows)
    raise UserError(
        f"dedup: {len(duplicates)} of {len(rows)} rows ({100 * share:.1f} %) say what another row says: want at most "
        f"dedup.max_dropped_fraction = {params.max_dropped_fraction}; the largest clusters: {'; '.join(lines)}; if "
        "they say the same, raise max_dropped_fraction, if not, raise threshold in dedup.near or dedup.semantic"
    )


def _one_each(conflicts: Sequence[Conflict]) -> list[Conflict]:
    """For each row its conflict with the most similar question."""
    best: dict[str, Conflict] = {}
    for conflict in sorted(conflicts, key=lambda c: (-c.similarity, c)):
        best.setdefault(conflict.id, conflict)
    return sorted(best.values())


def main(
    cleaned: In, encoder: In, deduplicated: Out, duplicates: Out, conflicts: Out, report: Out, memo: Memo, params: Dedup
) -> str:
    rows = MappedRows(cleaned)
    searches = [importlib.import_module(name).Search(encoder, params, memo) for name in params.modules()]  # 0 or 1
    search = searches[0] if searches else None
    dropped, opposed = find_duplicates(rows, params, memo, search)
    check_fraction(rows, dropped, params)
    gone = {duplicate.id for duplicate in dropped}
    kept = [index for index, row in enumerate(rows) if row.id not in gone]
    counts = accounting.account(len(rows), len(kept), [duplicate.reason for duplicate in dropped])
    rows.write(deduplicated, kept)
    parquet_table.write(duplicates, {"id": str, "kept": str, "reason": str, "similarity": float}, dropped)
    parquet_table.write(conflicts, {"id": str, "other": str, "reason": str, "similarity": float}, opposed)
    further = {"clusters": len({duplicate.kept for duplicate in dropped}), "conflicting": len(opposed)}
    accounting.write_json(report, {**counts, **further, **({"semantic": search.counts()} if search else {})})
    notes = [f"; {len(opposed)} conflict with a row that asks alike"] if opposed else []
    notes += [f"; {search.over_long} too long to embed"] if search and search.over_long else []
    return f"{accounting.summary(counts)}{''.join(notes)}"


if __name__ == "__main__":
    harness.run(main)
