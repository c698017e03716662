"""Splits rows by the hash of their content or group, or by time, so that rows added later move none; drops rows that
would reveal a held-out row or an evaluation set to training.

Inputs:  deduplicated  JSONL canonical rows
         golden        the golden set: a file of any format, or one with a blank line
         sets          folder of evaluation sets, or an empty one
Outputs: splits        folder of {train,val,test}/{chat,pair,text}.jsonl: {id, content}, sorted by id; and of
                       test/golden.jsonl if there is a golden set
         leaks         Parquet {id, split, kept, kept_split, reason, similarity}: rows dropped because they are too
                       similar to `kept`, or ask the same question
         contaminated  Parquet {id, split, reason, evaluation, words, span}: rows dropped because they share `span`
                       with an evaluation set
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
from stages.splitting import contamination, golden_set, questions

COMPARED_KINDS = {"chats": ("chat", "pair"), "texts": ("text",)}  # kinds that are compared with each other


def split_of(row: Row, params: Split) -> str:
    """The split of a row: its source's if there is one, else by time, else by the hash of its group or content."""
    number = hashlib.sha256(row.group.encode()).hexdigest() if row.group else row.id
    point = int(number[:16], 16) / 16**16  # uniform in [0, 1)
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
    """A row that is dropped because it would reveal a row in a stronger split."""

    id: str
    split: str
    kept: str
    kept_split: str
    reason: str
    similarity: float


class Contaminated(NamedTuple):
    """A row that is dropped because it shares words with an evaluation set."""

    id: str
    split: str
    reason: str
    evaluation: str  # file:line
    words: int
    span: str


def find_leaks(
    rows: Sequence[Row], params: Split, golden: Set[str] = frozenset(), contaminated: Set[str] = frozenset(),
    memo: Path | None = None,
) -> list[Leak]:  # fmt: skip
    """Rows to drop because of a row in a stronger split (test over val over train), sorted.

    They are too similar to it, or ask the same question and may answer it in other words. Chats and pairs are compared
    with each other: a preferred answer reveals a held-out question too. Contaminated rows neither drop nor are dropped.

    Args:
        golden: ids of the golden set, which is in test.
        contaminated: ids of rows that `find_contaminated` drops.
        memo: folder of the last search.
    """
    ids, kinds, ranks, questions_asked = [], [], [], []
    for row in rows:
        ids.append(row.id)
        kinds.append(row.kind)
        ranks.append(SPLITS.index("test" if row.id in golden else split_of(row, params)))
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
    texts: Sequence[str], ids: Sequence[str], ranks: np.ndarray, question_hashes: Sequence[bytes], params: Split,
    contaminated: Set[str], memo: Path | None,
) -> list[Leak]:  # fmt: skip
    """`find_leaks` among rows that are all compared with each other; `ranks` are indices of SPLITS."""
    search_memo = SearchMemo(memo, ids, params.near.permutations) if memo else None
    similar = near.find_pairs(texts, params.near, search_memo)
    same_question = _pairs_of_one_question(question_hashes, ranks)
    pairs = np.concatenate([similar.pairs, same_question])
    similarities = np.concatenate([similar.similarities, near.compare(PackedTexts(texts), same_question, params.near)])
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


def find_contaminated(rows: Iterable[Row], params: Split, sets: contamination.EvaluationSets) -> list[Contaminated]:
    """Every row of train or val that shares a run of words with an evaluation set, sorted."""
    trained = ((row, split) for row in rows if (split := split_of(row, params)) != "test") if sets else ()
    overlaps = ((row.id, split, contamination.find_overlap(row, sets)) for row, split in trained)
    return sorted(Contaminated(id, split, "contaminated", *overlap) for id, split, overlap in overlaps if overlap)


def main(
    deduplicated: In, golden: In, sets: In, splits: Out, leaks: Out, contaminated: Out, report: Out, memo: Memo,
    params: Split,
) -> str:  # fmt: skip
    mapped, golden_rows = MappedRows(deduplicated), golden_set.read(golden, params.golden.sha256)
    added = golden_rows.keys() - {row.id for row in mapped if row.id in golden_rows} if golden_rows else set()
    rows = ConcatenatedRows(mapped, [golden_rows[id] for id in sorted(added)])
    not_golden = (row for row in mapped if row.id not in golden_rows)
    shared = find_contaminated(not_golden, params, contamination.read(sets, params.decontaminate))
    leaking = find_leaks(rows, params, golden_rows.keys(), {row.id for row in shared}, memo)
    drops = [*shared, *leaking]
    gone = {drop.id for drop in drops}
    indices: dict[str, dict[str, list[int]]] = {split: {kind: [] for kind in KINDS} for split in SPLITS}
    if golden_rows:
        indices["test"]["golden"] = []
    for index, row in enumerate(rows):
        if row.id in golden_rows:
            indices["test"]["golden"].append(index)
        elif row.id not in gone:
            indices[split_of(row, params)][row.kind].append(index)
    for split, by_kind in indices.items():
        (splits / split).mkdir(parents=True)
        for kind, places in by_kind.items():
            without_metadata = (Row(row.id, row.content) for row in map(rows.__getitem__, places))
            jsonl.write(splits / split / f"{kind}.jsonl", without_metadata)
    sizes = {split: {kind: len(places) for kind, places in by_kind.items()} for split, by_kind in indices.items()}
    kept = sum(sum(by_kind.values()) for by_kind in sizes.values()) - len(added)
    counts = accounting.account(len(mapped), kept, [drop.reason for drop in drops])
    columns = {"id": str, "split": str, "kept": str, "kept_split": str, "reason": str, "similarity": float}
    parquet_table.write(leaks, columns, leaking)
    columns = {"id": str, "split": str, "reason": str, "evaluation": str, "words": int, "span": str}
    parquet_table.write(contaminated, columns, shared)
    by_file = Counter(row.evaluation.rpartition(":")[0] for row in shared)
    accounting.write_json(report, {**counts, "splits": sizes, "contaminated": dict(sorted(by_file.items()))})
    shown = "; ".join(f"{s}: " + ", ".join(f"{n} {k}" for k, n in sizes[s].items()) for s in SPLITS)
    return f"{accounting.summary(counts)}; {shown}"


if __name__ == "__main__":
    harness.run(main)
