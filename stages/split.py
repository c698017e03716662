"""Splits rows by the hash of their content or group, or by time, so that rows added later move none; drops rows that
would reveal a held-out row or an evaluation set to training.

Inputs:  deduplicated  JSONL canonical rows
         golden        the golden set: a file of any format, or one with a blank line
         sets          folder of evaluation sets, or an empty one
Outputs: splits        folder of {train,val,test}/{chat,pair,judged,text}.jsonl: {id, content}, sorted by id; and of
                       test/golden.jsonl if there is a golden set
         leaks         Parquet {id, split, kept, kept_split, reason, similarity}: rows dropped because they are too
                       similar to `kept`, or ask the like of it, or one has all turns of the other and goes on; for
                       `asked_in_…` the similarity of the questions
         contaminated  Parquet {id, split, reason, evaluation, words, span}: rows dropped because they share `span`
                       with an evaluation set
         report        JSON {in, out, dropped, splits: {split: {kind: rows}}, missing: {split: [kind]}, contaminated:
                       {file: rows}}; missing: kinds of rows that train or val has none of
Params:  split
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from modelmake import harness
from modelmake.errors import UserError
from modelmake.signature import In, Memo, Out
from stages.params.data import Split
from stages.rows import accounting, jsonl, parquet_table
from stages.rows.mapped_rows import ConcatenatedRows, MappedRows
from stages.rows.row import KINDS, SPLITS, Row
from stages.rows.timestamps import utc_timestamp
from stages.similarity.sides import excerpt
from stages.splitting import contamination, golden_set
from stages.splitting.leaks import Leak, find_leaks

SHOWN_GROUPS = 3


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


class Contaminated(NamedTuple):
    """A row that is dropped because it shares words with an evaluation set."""

    id: str
    split: str
    reason: str
    evaluation: str  # file:line
    words: int
    span: str


def find_contaminated(rows: Iterable[Row], params: Split, sets: contamination.EvaluationSets) -> list[Contaminated]:
    """Every row of train or val that shares a run of words with an evaluation set, sorted."""
    trained = ((row, split) for row in rows if (split := split_of(row, params)) != "test") if sets else ()
    overlaps = ((row.id, split, contamination.find_overlap(row, sets)) for row, split in trained)
    return sorted(Contaminated(id, split, "contaminated", *overlap) for id, split, overlap in overlaps if overlap)


def check_fraction(rows: Iterable[Row], drops: Sequence[Contaminated | Leak], trained: int, params: Split) -> None:
    """Checks that no more rows of train and val are dropped than was declared.

    Args:
        trained: number of rows of train and val, those that are dropped included.

    Raises:
        UserError: more are; it shows the largest groups.
    """
    if len(drops) <= params.max_dropped_fraction * trained:
        return
    groups = Counter(drop.kept if isinstance(drop, Leak) else drop.evaluation for drop in drops)
    largest = groups.most_common(SHOWN_GROUPS)
    questions = {row.id: excerpt(row) for row in rows if row.id in dict(largest)}
    shown = "; ".join(f"{count} rows for {questions.get(place, place)}" for place, count in largest)
    raise UserError(
        f"split: {len(drops)} of {trained} rows of train and val would give away a held-out row or an evaluation set: "
        f"want at most split.max_dropped_fraction = {params.max_dropped_fraction}; the most go {shown}; if such rows "
        "belong together (one dialogue, template or document), map a field to group in ingest.files, so that one split "
        "has them all; if they do not say the same, raise split.near.threshold; else raise max_dropped_fraction"
    )


def missing_kinds(sizes: dict[str, dict[str, int]]) -> dict[str, list[str]]:
    """{train or val: the kinds of rows that it has none of, though there are some}."""
    kinds = [kind for kind in KINDS if any(sizes[split][kind] for split in SPLITS)]
    missing = {split: [kind for kind in kinds if not sizes[split][kind]] for split in ("train", "val")}
    return {split: names for split, names in missing.items() if names}


def check_sizes(sizes: dict[str, dict[str, int]], rows: Iterable[Row], params: Split) -> None:
    """Checks that there is something to train on, and to watch if `val_fraction` asks for it.

    Raises:
        UserError: train has no row; or val has none, though `val_fraction` of the rows would be one or more.
    """
    train, val, test = (sum(sizes[split][kind] for kind in KINDS) for split in SPLITS)
    if not train and val + test:
        raise UserError(
            f"split: none of {val + test} rows is left to train on: {val} are val, {test} are test, as names of files, "
            "split fields, fractions or times say: want rows of train; rename a file, set "
            "ingest.splits: none, or change split"
        )
    by_fraction = 0 if val or params.time else sum(_is_split_by_fraction(row, params) for row in rows)
    if by_fraction * params.val_fraction >= 1:
        raise UserError(
            f"split: none of {by_fraction} rows is in val: want split.val_fraction = {params.val_fraction} of them; "
            f"{_groups(rows)}raise it, or give rows to val in the source"
        )


def _is_split_by_fraction(row: Row, params: Split) -> bool:
    return not row.split or (row.split == "train" and params.val_from_train)


def _groups(rows: Iterable[Row]) -> str:
    groups = {row.group for row in rows if row.group}
    return f"each of their groups, {len(groups)} in number, goes to one split; " if groups else ""


def main(
    deduplicated: In, golden: In, sets: In, splits: Out, leaks: Out, contaminated: Out, report: Out, memo: Memo,
    params: Split,
) -> str:  # fmt: skip
    mapped, golden_chats = MappedRows(deduplicated), golden_set.read(golden, params.golden.sha256)
    golden_rows = {row.id: row for row in golden_chats}
    added = golden_rows.keys() - {row.id for row in mapped if row.id in golden_rows} if golden_rows else set()
    rows = ConcatenatedRows(mapped, [golden_rows[id] for id in sorted(added)])
    not_golden = (row for row in mapped if row.id not in golden_rows)
    shared = find_contaminated(not_golden, params, contamination.read(sets, params.decontaminate))

    def final_split(row: Row) -> str:
        return "test" if row.id in golden_rows else split_of(row, params)

    leaking = find_leaks(rows, final_split, params.near, {row.id for row in shared}, memo)
    drops = [*shared, *leaking]
    check_fraction(rows, drops, sum(final_split(row) != "test" for row in rows), params)
    gone = {drop.id for drop in drops}
    indices: dict[str, dict[str, list[int]]] = {split: {kind: [] for kind in KINDS} for split in SPLITS}
    if golden_rows:
        indices["test"]["golden"] = []
    for index, row in enumerate(rows):
        if row.id in golden_rows:
            indices["test"]["golden"].append(index)
        elif row.id not in gone:
            indices[split_of(row, params)][row.kind].append(index)
    sizes = {split: {kind: len(places) for kind, places in by_kind.items()} for split, by_kind in indices.items()}
    missing = missing_kinds(sizes)
    check_sizes(sizes, mapped, params)
    for split, by_kind in indices.items():
        (splits / split).mkdir(parents=True)
        for kind, places in by_kind.items():
            without_metadata = (Row(row.id, row.content) for row in map(rows.__getitem__, places))
            jsonl.write(splits / split / f"{kind}.jsonl", without_metadata)
    kept = sum(sum(by_kind.values()) for by_kind in sizes.values()) - len(added)
    counts = accounting.account(len(mapped), kept, [drop.reason for drop in drops])
    columns = {"id": str, "split": str, "kept": str, "kept_split": str, "reason": str, "similarity": float}
    parquet_table.write(leaks, columns, leaking)
    columns = {"id": str, "split": str, "reason": str, "evaluation": str, "words": int, "span": str}
    parquet_table.write(contaminated, columns, shared)
    by_file = dict(sorted(Counter(row.evaluation.rpartition(":")[0] for row in shared).items()))
    accounting.write_json(report, {**counts, "splits": sizes, "missing": missing, "contaminated": by_file})
    there = {kind for by_kind in sizes.values() for kind, n in by_kind.items() if n}
    shown = "; ".join(f"{s}: " + ", ".join(f"{n} {k}" for k, n in sizes[s].items() if k in there) for s in SPLITS)
    repeated = len(golden_chats) - len(golden_rows)
    notes = f"; {repeated} golden chats repeat others" if repeated else ""
    notes += "".join(f"; nothing in {name} of: {', '.join(kinds)}" for name, kinds in missing.items())
    return f"{accounting.summary(counts)}; {shown}{notes}"


if __name__ == "__main__":
    harness.run(main)
