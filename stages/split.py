"""Splits rows by the hash of their content, or of their group, so that nothing ever moves; keeps leaks out of training.

Inputs:  deduplicated  JSONL canonical rows
Outputs: splits        folder of {train,val,test}/{chat,pair,text}.jsonl: {id, content}, sorted by id
         leaks         Parquet {id, split, kept, kept_split, reason, similarity}: dropped, being too similar to `kept`,
                       or asking the very same
         report        JSON {in, out, dropped, splits: {split: {kind: rows}}}
Params:  split
"""

import hashlib

from modelmake import harness
from modelmake.signature import In, Out
from stages import near, rows
from stages.params.data import Split


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


def find_leaks(found: list[rows.Row], params: Split) -> list[tuple[str, str, str, str, str, float]]:
    """(id, split, kept id, its split, reason, similarity) of every row that gives one in a split that wins away.

    That is a row too similar to it, or one that asks the same and may answer in other words. Chats and pairs are
    compared with each other: a preferred answer gives a held-out question away too.
    """
    dropped = []
    for kinds in (("chat", "pair"), ("text",)):
        group = [row for row in found if row.kind in kinds]
        ranks = [rows.SPLITS.index(split_of(row, params)) for row in group]
        gone: set[int] = set()
        pairs = [(*pair, "similar_to") for pair in near.pairs([_text(row) for row in group], params.near)]
        pairs += [(*pair, "asked_in") for pair in _asked_again(group, ranks, params.near.shingle_chars)]
        # The strongest split first, so that a row dropped from val drops nothing from train.
        for first, second, similarity, reason in sorted(pairs, key=lambda p: -max(ranks[p[0]], ranks[p[1]])):
            loser, winner = sorted((first, second), key=lambda i: ranks[i])
            if ranks[loser] < ranks[winner] and loser not in gone and winner not in gone:
                gone.add(loser)
                row, kept = group[loser], group[winner]
                splits = rows.SPLITS[ranks[loser]], rows.SPLITS[ranks[winner]]
                why = f"{reason}_{splits[1]}"
                dropped.append((row.id, splits[0], kept.id, splits[1], why, round(similarity, 4)))
    return sorted(dropped)


def _asked_again(group: list[rows.Row], ranks: list[int], shingle_chars: int) -> list[near.Similar]:
    """Rows that ask what a row in a stronger split asks, case and white space aside: one such pair for each."""
    asked: dict[str, list[int]] = {}
    for index, row in enumerate(group):
        if not isinstance(row.content, rows.Text):
            content = row.content
            turns = content.prompt if isinstance(content, rows.Pair) else content.messages[:-1]
            asked.setdefault(" ".join(" ".join(m.content for m in turns).lower().split()), []).append(index)
    result = []
    for same in asked.values():
        strongest = max(same, key=lambda i: ranks[i])
        for index in same:
            if ranks[index] < ranks[strongest]:
                sets = [near.shingles(_text(group[i]), shingle_chars) for i in (index, strongest)]
                result.append(near.Similar(index, strongest, near.jaccard(*sets)))
    return result


def _text(row: rows.Row) -> str:
    """What would give an answer away: a conversation, or a pair's prompt with its chosen answer."""
    content = row.content
    if isinstance(content, rows.Pair):
        content = rows.Chat([*content.prompt, *content.chosen])
    return "\n".join(rows.texts(content))


def main(deduplicated: In, splits: Out, leaks: Out, report: Out, params: Split) -> str:
    found = rows.read(deduplicated)
    dropped = find_leaks(found, params)
    gone = {d[0] for d in dropped}
    sizes: dict[str, dict[str, int]] = {}
    for split in rows.SPLITS:
        (splits / split).mkdir(parents=True)
        for kind in rows.KINDS:
            chosen = [
                rows.Row(row.id, row.content)
                for row in found
                if row.kind == kind and row.id not in gone and split_of(row, params) == split
            ]
            rows.write(splits / split / f"{kind}.jsonl", chosen)
            sizes.setdefault(split, {})[kind] = len(chosen)
    kept = sum(sum(by_kind.values()) for by_kind in sizes.values())
    counts = rows.account(len(found), kept, [d[4] for d in dropped])
    columns = {"id": str, "split": str, "kept": str, "kept_split": str, "reason": str, "similarity": float}
    rows.write_table(leaks, columns, dropped)
    rows.write_json(report, {**counts, "splits": sizes})
    shown = "; ".join(f"{s}: " + ", ".join(f"{n} {k}" for k, n in sizes[s].items()) for s in rows.SPLITS)
    return f"{rows.summary(counts)}; {shown}"


if __name__ == "__main__":
    harness.run(main)
