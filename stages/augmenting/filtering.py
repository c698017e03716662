"""Filter of generated rows: keeps those that are clean, new, and unlike every held-out row."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from stages.augmenting.teacher import Declined
from stages.cleaning import rules
from stages.params.cleaning import Clean
from stages.params.data import Near
from stages.rows.mapped_rows import ConcatenatedRows, MappedRows, RowTexts
from stages.rows.row import SPLITS, Content, Row, make_row
from stages.similarity import near
from stages.splitting import contamination, questions

DROP_ORDER = {"test": 0, "val": 1, "train": 2, "made": 3}  # of several similar rows the first one is the reason


class SplitRows:
    """Chats and pairs of all splits, golden set included, decoded on access. Texts are left out, as `split` does."""

    def __init__(self, splits: Path) -> None:
        self.rows: Sequence[Row] = []
        self.splits: list[str] = []  # of each row
        for split in SPLITS:
            for path in sorted((splits / split).glob("*.jsonl")):
                if path.name != "text.jsonl":
                    rows = MappedRows(path)
                    self.rows = ConcatenatedRows(self.rows, rows)
                    self.splits += [split] * len(rows)


class Filtered(NamedTuple):
    """Outcome for one generated content: its row, or why it was dropped."""

    row: Row | Declined
    rules: str  # cleaning rules that changed the content, separated by spaces


def filter_contents(
    contents: Sequence[Content | Declined], existing: SplitRows, sets: contamination.EvaluationSets, tokenizer: Path,
    cleaning: Clean, params: Near,
) -> list[Filtered]:  # fmt: skip
    """The outcome for each content, in order. Of equal or similar contents the first one stays.

    Args:
        contents: generated contents, and the attempts that yielded none.
        existing: rows that a generated one must not repeat.
        sets: evaluation sets that a generated row must not contain.
        tokenizer: folder of a model, as `clean` takes it.
        params: threshold and search of near-duplicates.
    """
    held_out = {
        questions.question_hash(row): split
        for row, split in zip(existing.rows, existing.splits, strict=True)
        if split != "train"
    }
    ids = {row.id for row in existing.rows}
    results: list[Filtered] = []
    for content in contents:
        if isinstance(content, Declined):
            results.append(Filtered(content, ""))
            continue
        content, changed, _, problem = rules.clean_content(content, cleaning)
        row = make_row(content)
        problem = problem or rules.optional_drop_reason(content, tokenizer, cleaning, Counter())
        if not problem and (shared := contamination.find_overlap(row, sets) if sets else None):
            problem = "contaminated", f"{shared.evaluation}: {shared.span}"
        if not problem and (split := held_out.get(questions.question_hash(row))):
            problem = f"asked_in_{split}", "the question is held out"
        if not problem and row.id in ids:
            problem = "repeated", f"as {row.id}"
        if not problem:
            ids.add(row.id)
        results.append(Filtered(Declined(*problem) if problem else row, " ".join(changed)))
    kept = [index for index, (row, _) in enumerate(results) if isinstance(row, Row)]
    for number, reason in _near_duplicates([results[index].row for index in kept], existing, params).items():
        results[kept[number]] = Filtered(reason, "")
    return results


def _near_duplicates(rows: Sequence[Row], existing: SplitRows, params: Near) -> dict[int, Declined]:
    """{index of a generated row: reason} of those too similar to a held-out row, or to another row of their kind."""
    if not rows:
        return {}
    everything, first = ConcatenatedRows(existing.rows, rows), len(existing.rows)
    labels = [*existing.splits, *["made"] * len(rows)]
    kinds = [row.kind for row in everything]
    similar = near.find_pairs(RowTexts(everything, range(len(everything)), questions.comparable_text), params)
    pairs = [(int(b), DROP_ORDER[labels[a]], -similarity, int(a))
             for (a, b), similarity in zip(similar.pairs.tolist(), similar.similarities.tolist(), strict=True)
             if b >= first and (labels[a] in ("val", "test") or kinds[a] == kinds[b])]  # fmt: skip
    dropped: dict[int, Declined] = {}
    for new, _, negative_similarity, old in sorted(pairs):  # a dropped row drops no later one
        if new - first not in dropped and old - first not in dropped:
            detail = f"{everything[old].id} ({-negative_similarity:.4f})"
            dropped[new - first] = Declined(f"similar_to_{labels[old]}", detail)
    return dropped
