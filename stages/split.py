"""Splits rows by the hash of their content or of their group, or by time, so that nothing ever moves; keeps what would
give a held-out row or an evaluation set away out of training.

Inputs:  deduplicated  JSONL canonical rows
         golden        the golden set: a file of any format, or one with a blank line
         sets          folder of evaluation sets, or an empty one
Outputs: splits        folder of {train,val,test}/{chat,pair,text}.jsonl: {id, content}, sorted by id; and of
                       test/golden.jsonl where there is a golden set
         leaks         Parquet {id, split, kept, kept_split, reason, similarity}: dropped, being too similar to `kept`,
                       or asking the very same
         contaminated  Parquet {id, split, reason, evaluation, words, span}: dropped, sharing the span with a set
         report        JSON {in, out, dropped, splits: {split: {kind: rows}}, contaminated: {file: rows}}
Params:  split
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence, Set
from pathlib import Path
from typing import NamedTuple

import numpy as np

from modelmake import harness
from modelmake.signature import In, Memo, Out
from stages.params.data import Split
from stages.rows import accounting, jsonl, parquet_table
from stages.rows.mapped_rows import ConcatenatedRows, MappedRows, RowTexts
from stages.rows.row import KINDS, SPLITS, Row
from stages.rows.timestamps import utc_timestamp
from stages.similarity import near
from stages.similarity.memo import SearchMemo
from stages.similarity.packed_texts import PackedTexts
from stages.splitting import contamination, questions
from stages.splitting import golden as golden_set

TOGETHER = {"chats": ("chat", "pair"), "texts": ("text",)}  # kinds that are compared with each other


def split_of(row: Row, params: Split) -> str:
    """The split of a row: its source's where it gives one, else by time, or by its id's or group's uniform hash."""
    number = hashlib.sha256(row.group.encode()).hexdigest() if row.group else row.id
    point = int(number[:16], 16) / 16**16
    if row.split == "train" and params.val_from_train:
        return "val" if point < params.val_fraction else "train"
    if row.split:
        return row.split
    if params.time:
        if row.time >= utc_timestamp(params.time.test_from):
            return "test"
        return "val" if row.time >= utc_timestamp(params.time.val_from) else "train"
    if point < params.test_fraction:
        return "test"
    return "val" if point < params.test_fraction + params.val_fraction else "train"


class Leak(NamedTuple):
    """A row that is dropped, since another gives it away, or it the other, and that one's split wins."""

    id: str
    split: str
    kept: str
    kept_split: str
    reason: str
    similarity: float


class Contaminated(NamedTuple):
    """A row that is dropped, since it shares words with an evaluation set."""

    id: str
    split: str
    reason: str
    evaluation: str  # file:line
    words: int
    span: str


def find_leaks(
    found: Sequence[Row], params: Split, golden: Set[str] = frozenset(), contaminated: Set[str] = frozenset(),
    memo: Path | None = None,
) -> list[Leak]:  # fmt: skip
    """Every row that gives one in a split that wins away, or is given away by it, sorted; but for contaminated ones.

    That is a row too similar to it, or one that asks the same and may answer in other words. Chats and pairs are
    compared with each other: a preferred answer gives a held-out question away too.
    """
    heads = [(row.id, row.kind, "test" if row.id in golden else split_of(row, params), questions.asked(row))
             for row in found]  # fmt: skip
    dropped = []
    for name, kinds in TOGETHER.items():
        group = [index for index, head in enumerate(heads) if head[1] in kinds]
        ranks = np.array([SPLITS.index(heads[index][2]) for index in group], np.int64)
        texts = RowTexts(found, group, questions.text)
        ids = [heads[index][0] for index in group]
        last = SearchMemo(memo / name, ids, params.near.permutations) if memo else None
        alike, again = near.find_pairs(texts, params.near, last), _asked_again([heads[index][3] for index in group], ranks)
        pairs = np.concatenate([alike.pairs, again])
        similarities = np.concatenate([alike.similarities, near.compare(PackedTexts(texts), again, params.near)])
        gone = {place for place, id in enumerate(ids) if id in contaminated}
        # The strongest split first, so that a row dropped from val drops nothing from train.
        for place in np.argsort(-ranks[pairs].max(axis=1, initial=0), kind="stable"):
            first, second = pairs[place].tolist()
            loser, winner = sorted((first, second), key=lambda i: ranks[i])
            if ranks[loser] < ranks[winner] and loser not in gone and winner not in gone:
                gone.add(loser)
                splits = SPLITS[ranks[loser]], SPLITS[ranks[winner]]
                why = f"{'similar_to' if place < len(alike.pairs) else 'asked_in'}_{splits[1]}"
                similarity = round(float(similarities[place]), 4)
                dropped.append(Leak(ids[loser], splits[0], ids[winner], splits[1], why, similarity))
    return sorted(dropped)


def _asked_again(asked: Iterable[bytes], ranks: np.ndarray) -> np.ndarray:
    """Rows that ask what a row in a stronger split asks, case and white space aside: one such pair (n, 2) for each."""
    same: dict[bytes, list[int]] = {}
    for index, digest in enumerate(asked):
        if digest:
            same.setdefault(digest, []).append(index)
    pairs = []
    for group in same.values():
        strongest = max(group, key=lambda i: ranks[i])
        pairs += [(index, strongest) for index in group if ranks[index] < ranks[strongest]]
    return np.array(pairs, np.int64).reshape(-1, 2)


def find_contaminated(found: Iterable[Row], params: Split, sets: contamination.Sets) -> list[Contaminated]:
    """Every row of train or val that shares a run of words with an evaluation set, sorted."""
    trained = ((row, split) for row in found if (split := split_of(row, params)) != "test") if sets else ()
    shared = ((row.id, split, contamination.find(row, sets)) for row, split in trained)
    return sorted(Contaminated(id, split, "contaminated", *match) for id, split, match in shared if match)


def main(
    deduplicated: In, golden: In, sets: In, splits: Out, leaks: Out, contaminated: Out, report: Out, memo: Memo,
    params: Split,
) -> str:  # fmt: skip
    stored, pinned = MappedRows(deduplicated), golden_set.read(golden, params.golden.sha256)
    added = pinned.keys() - {row.id for row in stored if row.id in pinned} if pinned else set()
    found = ConcatenatedRows(stored, [pinned[id] for id in sorted(added)])
    unpinned = (row for row in stored if row.id not in pinned)
    shared = find_contaminated(unpinned, params, contamination.read(sets, params.decontaminate))
    dropped = find_leaks(found, params, pinned.keys(), {row.id for row in shared}, memo)
    gone = {drop.id for drop in [*shared, *dropped]}
    chosen: dict[str, dict[str, list[int]]] = {split: {kind: [] for kind in KINDS} for split in SPLITS}
    if pinned:
        chosen["test"]["golden"] = []
    for index, row in enumerate(found):
        if row.id in pinned:
            chosen["test"]["golden"].append(index)
        elif row.id not in gone:
            chosen[split_of(row, params)][row.kind].append(index)
    for split, kinds in chosen.items():
        (splits / split).mkdir(parents=True)
        for kind, indices in kinds.items():
            bare = (Row(row.id, row.content) for row in map(found.__getitem__, indices))
            jsonl.write(splits / split / f"{kind}.jsonl", bare)
    sizes = {split: {kind: len(indices) for kind, indices in kinds.items()} for split, kinds in chosen.items()}
    kept = sum(sum(by_kind.values()) for by_kind in sizes.values()) - len(added)
    counts = accounting.account(len(stored), kept, [drop.reason for drop in [*shared, *dropped]])
    columns = {"id": str, "split": str, "kept": str, "kept_split": str, "reason": str, "similarity": float}
    parquet_table.write(leaks, columns, dropped)
    columns = {"id": str, "split": str, "reason": str, "evaluation": str, "words": int, "span": str}
    parquet_table.write(contaminated, columns, shared)
    by_file = Counter(row.evaluation.rpartition(":")[0] for row in shared)
    accounting.write_json(report, {**counts, "splits": sizes, "contaminated": dict(sorted(by_file.items()))})
    shown = "; ".join(f"{s}: " + ", ".join(f"{n} {k}" for k, n in sizes[s].items()) for s in SPLITS)
    return f"{accounting.summary(counts)}; {shown}"


if __name__ == "__main__":
    harness.run(main)
