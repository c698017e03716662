"""Drops rows that say again what another row says: the same but for case and spaces, or nearly the same.

Inputs:  cleaned       JSONL canonical rows
Outputs: deduplicated  JSONL canonical rows: of each cluster the row that its source gave to test, else to val,
                       else the one with the smallest id
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
        exact: dict[str, rows.Row] = {}
        for row in ranked:
            kept = exact.setdefault(" ".join(_text(row).lower().split()), row)
            if kept is not row:
                result.append((row.id, kept.id, "exact_duplicate", 1.0))
        distinct = list(exact.values())
        sets = [near.shingles(_text(row), params.near.shingle_chars) for row in distinct]
        roots = near.clusters(len(distinct), near.pairs([_text(row) for row in distinct], params.near))
        for index, root in enumerate(roots):
            if root != index:
                alike = near.jaccard(sets[index], sets[root])
                result.append((distinct[index].id, distinct[root].id, "near_duplicate", round(alike, 4)))
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
    names = ("id", "kept", "reason", "similarity")
    rows.write_table(duplicates, {name: [d[i] for d in dropped] for i, name in enumerate(names)})
    rows.write_json(report, {**counts, "clusters": len({d[1] for d in dropped})})
    return rows.summary(counts)


if __name__ == "__main__":
    harness.run(main)
