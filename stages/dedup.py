"""Drops rows that repeat another row: equal but for case and spaces, nearly equal, or the same in other words.

Inputs:  cleaned       JSONL canonical rows
         encoder       folder of a model, or its pin of the hub, whose embeddings are compared; with semantic: null a
                       file that is not read
Outputs: deduplicated  JSONL canonical rows: of each cluster all rows that their source gave to test (so that figures
                       stay comparable), else one that it gave to val, else the one with the smallest id
         duplicates    Parquet {id, kept, reason, similarity}: each dropped row, the row kept in its place, and their
                       Jaccard similarity; for a `semantic_duplicate` the cosine with the row first kept, also where
                       that one was dropped later and `kept` names its replacement
         report        JSON {in, out, dropped, clusters}; and, if embeddings are compared, semantic: {compared,
                       over_long}: numbers of rows that were compared, and of rows with too many tokens
Params:  dedup
"""

import hashlib
import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from modelmake import harness
from modelmake.signature import In, Memo, Out
from stages.params.data import Dedup
from stages.rows import accounting, parquet_table
from stages.rows.mapped_rows import MappedRows, RowTexts
from stages.rows.row import KINDS, SPLITS, Row
from stages.rows.texts import content_texts
from stages.similarity import near
from stages.similarity.memo import SearchMemo
from stages.similarity.packed_texts import PackedTexts
from stages.similarity.shingles import plain

if TYPE_CHECKING:
    from stages.similarity.semantic import Search

TEST_RANK = -SPLITS.index("test")  # of rows that are never dropped


class Duplicate(NamedTuple):
    """A row that is dropped, and the row that is kept in its place."""

    id: str
    kept: str
    reason: str
    similarity: float


def find_duplicates(rows: Sequence[Row], params: Dedup, memo: Path | None = None) -> list[Duplicate]:
    """Every exact or near duplicate of another row of its kind, sorted.

    Args:
        memo: folder of the last search.
    """
    by_text: dict[str, dict[bytes, list[int]]] = {kind: {} for kind in KINDS}  # kind -> hash of text -> rows
    ids, splits = [], []
    for index, row in enumerate(rows):
        ids.append(row.id)
        splits.append(row.split)
        digest = hashlib.blake2b(plain(_text(row)).encode("utf-8", "surrogatepass"), digest_size=16).digest()
        by_text[row.kind].setdefault(digest, []).append(index)

    def rank(index: int) -> tuple[int, str]:
        return _rank(ids[index], splits[index])

    duplicates = []
    for kind, groups in by_text.items():
        equal = sorted((sorted(group, key=rank) for group in groups.values()), key=lambda group: rank(group[0]))
        firsts = [group[0] for group in equal]
        texts = RowTexts(rows, firsts, _text)
        search_memo = SearchMemo(memo / kind, [ids[i] for i in firsts], params.near.permutations) if memo else None
        roots = near.clusters(len(texts), near.find_pairs(texts, params.near, search_memo).pairs)
        others = np.flatnonzero(roots != np.arange(len(texts)))
        similarities = near.compare(PackedTexts(texts), np.stack([roots[others], others], axis=1), params.near)
        similarity_to_root = dict(zip(others.tolist(), similarities.tolist(), strict=True))
        for place, root in enumerate(roots.tolist()):
            kept, reason = firsts[root], "exact_duplicate" if root == place else "near_duplicate"
            similarity = round(similarity_to_root.get(place, 1.0), 4)
            dropped = [index for index in equal[place] if index != kept and splits[index] != "test"]
            duplicates += [Duplicate(ids[index], ids[kept], reason, similarity) for index in dropped]
    return sorted(duplicates)


def add_semantic_duplicates(rows: Sequence[Row], duplicates: Sequence[Duplicate], search: "Search") -> list[Duplicate]:
    """The duplicates and the semantic ones among the other rows, sorted.

    If a kept row is dropped as a semantic duplicate, rows that pointed to it now point to its replacement.
    """
    gone = {duplicate.id for duplicate in duplicates}
    ranked: dict[str, list[tuple[int, str, int]]] = {kind: [] for kind in KINDS}  # kind -> (*rank, row)
    for index, row in enumerate(rows):
        if row.id not in gone:
            ranked[row.kind].append((*_rank(row.id, row.split), index))
    replacements: dict[str, tuple[str, str, float]] = {}  # id -> kept, reason, similarity
    for kind, left in ranked.items():
        ranks, ids, indices = zip(*sorted(left), strict=True) if left else ((), (), ())
        for place, kept, cosine in search.find_duplicates(kind, ids, RowTexts(rows, indices, _text)):
            if ranks[place] != TEST_RANK:
                replacements[ids[place]] = ids[kept], "semantic_duplicate", round(cosine, 4)
    moved = [Duplicate(id, *replacements.get(kept, (kept, *rest))) for id, kept, *rest in duplicates]
    return sorted([*moved, *(Duplicate(id, *replacement) for id, replacement in replacements.items())])


def _rank(id: str, split: str) -> tuple[int, str]:
    """Sort key of the rows of a cluster: the first one is kept."""
    return -SPLITS.index(split or "train"), id


def _text(row: Row) -> str:
    return "\n".join(content_texts(row.content))


def main(cleaned: In, encoder: In, deduplicated: Out, duplicates: Out, report: Out, memo: Memo, params: Dedup) -> str:
    rows = MappedRows(cleaned)
    searches = [importlib.import_module(name).Search(encoder, params, memo) for name in params.modules()]  # 0 or 1
    dropped, semantic, over_long = find_duplicates(rows, params, memo), {}, ""
    for search in searches:
        dropped = add_semantic_duplicates(rows, dropped, search)
        semantic["semantic"] = search.counts()
        over_long = f"; {search.over_long} too long to embed" if search.over_long else ""
    gone = {duplicate.id for duplicate in dropped}
    kept = [index for index, row in enumerate(rows) if row.id not in gone]
    counts = accounting.account(len(rows), len(kept), [duplicate.reason for duplicate in dropped])
    rows.write(deduplicated, kept)
    parquet_table.write(duplicates, {"id": str, "kept": str, "reason": str, "similarity": float}, dropped)
    accounting.write_json(report, {**counts, "clusters": len({duplicate.kept for duplicate in dropped}), **semantic})
    return f"{accounting.summary(counts)}{over_long}"


if __name__ == "__main__":
    harness.run(main)
