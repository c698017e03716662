"""Drops rows that say again what another row says: the same but for case and spaces, nearly so, or in other words.

Inputs:  cleaned       JSONL canonical rows
         encoder       folder of a model, or its pin of the hub, by which meanings are compared; else a file that is not
                       looked at
Outputs: deduplicated  JSONL canonical rows: of each cluster the rows that their source gave to test (a test split
                       stays whole, its figures comparable), else one that it gave to val, else the smallest id
         duplicates    Parquet {id, kept, reason, similarity}: `kept` stands for `id`; similarity to it (Jaccard; of a
                       `semantic_duplicate` the cosine, as of the row that stood for `id` before)
         report        JSON {in, out, dropped, clusters}; and, where meanings are compared, semantic: {compared,
                       over_long}: rows that were, and rows of too many tokens
Params:  dedup
"""

import hashlib
import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

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

TEST = -SPLITS.index("test")  # the rank of what is never dropped
Dropped = tuple[str, str, str, float]  # id, kept id, reason, similarity


def find(found: Sequence[Row], params: Dedup, memo: Path | None = None) -> list[Dropped]:
    """Every row that another row stands for by what is written, sorted; kinds are apart."""
    groups: dict[str, dict[bytes, list[int]]] = {kind: {} for kind in KINDS}
    ids, splits = [], []
    for index, row in enumerate(found):
        ids.append(row.id)
        splits.append(row.split)
        digest = hashlib.blake2b(plain(_text(row)).encode("utf-8", "surrogatepass"), digest_size=16).digest()
        groups[row.kind].setdefault(digest, []).append(index)

    def rank(index: int) -> tuple[int, str]:
        return _rank(ids[index], splits[index])

    result = []
    for kind, by_text in groups.items():
        same = sorted((sorted(group, key=rank) for group in by_text.values()), key=lambda group: rank(group[0]))
        firsts = [group[0] for group in same]
        texts = RowTexts(found, firsts, _text)
        last = SearchMemo(memo / kind, [ids[i] for i in firsts], params.near.permutations) if memo else None
        roots = near.clusters(len(texts), near.find_pairs(texts, params.near, last).pairs)
        others = np.flatnonzero(roots != np.arange(len(texts)))
        compared = near.compare(PackedTexts(texts), np.stack([roots[others], others], axis=1), params.near)
        alike = dict(zip(others.tolist(), compared.tolist(), strict=True))
        for place, root in enumerate(roots.tolist()):
            kept, reason = firsts[root], "exact_duplicate" if root == place else "near_duplicate"
            similarity = round(alike.get(place, 1.0), 4)
            gone = [index for index in same[place] if index != kept and splits[index] != "test"]
            result += [(ids[index], ids[kept], reason, similarity) for index in gone]
    return sorted(result)


def find_meant(found: Sequence[Row], dropped: Sequence[Dropped], search: Any) -> list[Dropped]:
    """What `find` dropped, and of what it left the rows that say it in other words, by a `semantic.Search`."""
    gone = {drop[0] for drop in dropped}
    left: dict[str, list[tuple[int, str, int]]] = {kind: [] for kind in KINDS}
    for index, row in enumerate(found):
        if row.id not in gone:
            left[row.kind].append((*_rank(row.id, row.split), index))
    stood: dict[str, tuple[str, str, float]] = {}
    for kind, ranked in left.items():
        splits, ids, indices = zip(*sorted(ranked), strict=True) if ranked else ((), (), ())
        for row, kept, cosine in search.find(kind, ids, RowTexts(found, indices, _text)):
            if splits[row] != TEST:
                stood[ids[row]] = ids[kept], "semantic_duplicate", round(cosine, 4)
    kept_on = [(id, *stood.get(kept, (kept, *told))) for id, kept, *told in dropped]
    return sorted([*kept_on, *((id, *told) for id, told in stood.items())])


def _rank(id: str, split: str) -> tuple[int, str]:
    """The first one of a cluster stands for it."""
    return -SPLITS.index(split or "train"), id


def _text(row: Row) -> str:
    return "\n".join(content_texts(row.content))


def main(cleaned: In, encoder: In, deduplicated: Out, duplicates: Out, report: Out, memo: Memo, params: Dedup) -> str:
    found = MappedRows(cleaned)
    searches = [importlib.import_module(name).Search(encoder, params, memo) for name in params.modules()]  # 0 or 1
    dropped, meant, line = find(found, params, memo), {}, ""
    for search in searches:
        dropped = find_meant(found, dropped, search)
        meant["semantic"] = search.told()
        line = f"; {search.over_long} too long to compare in meaning" if search.over_long else ""
    gone = {d[0] for d in dropped}
    kept = [index for index, row in enumerate(found) if row.id not in gone]
    counts = accounting.account(len(found), len(kept), [reason for _, _, reason, _ in dropped])
    found.write(deduplicated, kept)
    parquet_table.write(duplicates, {"id": str, "kept": str, "reason": str, "similarity": float}, dropped)
    accounting.write_json(report, {**counts, "clusters": len({d[1] for d in dropped}), **meant})
    return f"{accounting.summary(counts)}{line}"


if __name__ == "__main__":
    harness.run(main)
