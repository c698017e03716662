"""Splits rows by the hash of their content, or of their group, so that nothing ever moves; keeps leaks out of training.

Inputs:  deduplicated  JSONL canonical rows
Outputs: splits        folder of {train,val,test}/{chat,pair,text}.jsonl: {id, content}, sorted by id
         leaks         Parquet {id, split, kept, kept_split, reason, similarity}: dropped, being too similar to `kept`,
                       or asking the very same
         report        JSON {in, out, dropped, splits: {split: {kind: rows}}}
Params:  split
"""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from modelmake import harness
from modelmake.shingles import plain
from modelmake.signature import In, Memo, Out
from stages import near, rows, side_table
from stages.last_search import LastSearch
from stages.params.data import Split
from stages.stored import Stored, Texts

TOGETHER = {"chats": ("chat", "pair"), "texts": ("text",)}  # kinds that are compared with each other


def split_of(row: rows.Row, params: Split) -> str:
    """The split of a row: its source's where it gives one, else by its id or its group's hash, which are uniform."""
    number = hashlib.sha256(row.group.encode()).hexdigest() if row.group else row.id
    point = int(number[:16], 16) / 16**16
    if row.split == "train" and params.val_from_train:
        return "val" if point < params.val_fraction else "train"
    if row.split:
        return row.split
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


def find_leaks(found: Sequence[rows.Row], params: Split, memo: Path | None = None) -> list[Leak]:
    """Every row that gives one in a split that wins away, or is given away by it, sorted.

    That is a row too similar to it, or one that asks the same and may answer in other words. Chats and pairs are
    compared with each other: a preferred answer gives a held-out question away too.
    """
    heads = [(row.id, row.kind, split_of(row, params), _asked(row)) for row in found]
    dropped = []
    for name, kinds in TOGETHER.items():
        group = [index for index, head in enumerate(heads) if head[1] in kinds]
        ranks = np.array([rows.SPLITS.index(heads[index][2]) for index in group], np.int64)
        texts = Texts(found, group, _text)
        ids = [heads[index][0] for index in group]
        last = LastSearch(memo / name, ids, params.near.permutations) if memo else None
        alike, again = near.find(texts, params.near, last), _asked_again([heads[index][3] for index in group], ranks)
        pairs = np.concatenate([alike.pairs, again])
        similarities = np.concatenate([alike.similarities, near.compared(near.Plain(texts), again, params.near)])
        gone: set[int] = set()
        # The strongest split first, so that a row dropped from val drops nothing from train.
        for place in np.argsort(-ranks[pairs].max(axis=1, initial=0), kind="stable"):
            first, second = pairs[place].tolist()
            loser, winner = sorted((first, second), key=lambda i: ranks[i])
            if ranks[loser] < ranks[winner] and loser not in gone and winner not in gone:
                gone.add(loser)
                splits = rows.SPLITS[ranks[loser]], rows.SPLITS[ranks[winner]]
                why = f"{'similar_to' if place < len(alike.pairs) else 'asked_in'}_{splits[1]}"
                similarity = round(float(similarities[place]), 4)
                dropped.append(Leak(ids[loser], splits[0], ids[winner], splits[1], why, similarity))
    return sorted(dropped)


def _asked(row: rows.Row) -> bytes:
    """What tells rows apart that ask something else; nothing where a row asks nothing."""
    if isinstance(row.content, rows.Text):
        return b""
    turns = row.content.prompt if isinstance(row.content, rows.Pair) else row.content.messages[:-1]
    return hashlib.blake2b(plain(" ".join(m.content for m in turns)).encode(), digest_size=16).digest()


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


def _text(row: rows.Row) -> str:
    """What would give an answer away: a conversation, or a pair's prompt with its chosen answer."""
    content = row.content
    if isinstance(content, rows.Pair):
        content = rows.Chat([*content.prompt, *content.chosen])
    return "\n".join(rows.texts(content))


def main(deduplicated: In, splits: Out, leaks: Out, report: Out, memo: Memo, params: Split) -> str:
    found = Stored(deduplicated)
    dropped = find_leaks(found, params, memo)
    gone = {leak.id for leak in dropped}
    chosen: dict[str, dict[str, list[int]]] = {split: {kind: [] for kind in rows.KINDS} for split in rows.SPLITS}
    for index, row in enumerate(found):
        if row.id not in gone:
            chosen[split_of(row, params)][row.kind].append(index)
    for split, kinds in chosen.items():
        (splits / split).mkdir(parents=True)
        for kind, indices in kinds.items():
            bare = (rows.Row(row.id, row.content) for row in map(found.__getitem__, indices))
            rows.write(splits / split / f"{kind}.jsonl", bare)
    sizes = {split: {kind: len(indices) for kind, indices in kinds.items()} for split, kinds in chosen.items()}
    kept = sum(sum(by_kind.values()) for by_kind in sizes.values())
    counts = rows.account(len(found), kept, [leak.reason for leak in dropped])
    columns = {"id": str, "split": str, "kept": str, "kept_split": str, "reason": str, "similarity": float}
    side_table.write(leaks, columns, dropped)
    rows.write_json(report, {**counts, "splits": sizes})
    shown = "; ".join(f"{s}: " + ", ".join(f"{n} {k}" for k, n in sizes[s].items()) for s in rows.SPLITS)
    return f"{rows.summary(counts)}; {shown}"


if __name__ == "__main__":
    harness.run(main)
