"""Drops rows that say again what another row says: the same but for case and spaces, or nearly the same.

Inputs:  cleaned       JSONL canonical rows
Outputs: deduplicated  JSONL canonical rows: of each cluster the rows that their source gave to test (a test split
                       stays whole, its figures comparable), else one that it gave to val, else the smallest id
         duplicates    Parquet {id, kept, reason, similarity}: `kept` stands for `id`; similarity to it (Jaccard)
         report        JSON {in, out, dropped, clusters}
Params:  dedup
"""

from modelmake import harness
from modelmake.signature import In, Out
from stages import near, rows
from stages.params.data import Dedup


def find(found: list[rows.Row], params: Dedup) -> list[tuple[str, str, str, float]]:
    """(id, kept id, reason, similarity) of every row that another row stands for; kinds are apart."""
    result = []
    for kind in rows.KINDS:
        ranked = sorted((r for r in found if r.kind == kind), key=_rank)
        same: dict[str, list[rows.Row]] = {}
        for row in ranked:
            same.setdefault(" ".join(_text(row).lower().split()), []).append(row)
        groups = list(same.values())
        texts = [_text(equal[0]) for equal in groups]
        sets = [near.shingles(text, params.near.shingle_chars) for text in texts]
        roots = near.clusters(len(texts), near.pairs(texts, params.near))
        for index, root in enumerate(roots):
            kept = groups[root][0]
            reason = "exact_duplicate" if root == index else "near_duplicate"
            alike = round(near.jaccard(sets[index], sets[root]), 4)
            others = (row for row in groups[index] if row is not kept and row.split != "test")
            result += [(row.id, kept.id, reason, alike) for row in others]
    return sorted(result)


def _rank(row: rows.Row) -> tuple[int, str]:
    return -rows.SPLITS.index(row.split or "train"), row.id


def _text(row: rows.Row) -> str:
    return "\n".join(rows.texts(row.content))


def main(cleaned: In, deduplicated: Out, duplicates: Out, report: Out, params: Dedup) -> str:
    found = rows.read(cleaned)
    dropped = find(found, params)
    gone = {d[0] for d in dropped}
    kept = [row for row in found if row.id not in gone]
    counts = rows.account(len(found), len(kept), [reason for _, _, reason, _ in dropped])
    rows.write(deduplicated, kept)
    rows.write_table(duplicates, {"id": str, "kept": str, "reason": str, "similarity": float}, dropped)
    rows.write_json(report, {**counts, "clusters": len({d[1] for d in dropped})})
    return rows.summary(counts)


if __name__ == "__main__":
    harness.run(main)
