"""Which of the rows that were made may stay: clean ones that nobody has, and that give nothing held out away."""

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


class Known:
    """The chats and pairs of every split, in their files; the golden set too."""

    def __init__(self, splits: Path) -> None:
        self.rows: Sequence[Row] = []
        self.splits: list[str] = []
        for split in SPLITS:
            for path in sorted((splits / split).glob("*.jsonl")):
                if path.name != "text.jsonl":  # chats are held against chats, as `split` does
                    found = MappedRows(path)
                    self.rows = ConcatenatedRows(self.rows, found)
                    self.splits += [split] * len(found)


class Sifted(NamedTuple):
    """What became of a content that was made: the row, or why there is none; and the rules that changed it."""

    row: Row | Declined
    rules: str


def sift(
    made: Sequence[Content | Declined], known: Known, sets: contamination.Sets, tokenizer: Path, cleaning: Clean,
    alike: Near,
) -> list[Sifted]:  # fmt: skip
    """What becomes of each; of those that are alike or the same the first stays."""
    held = {
        questions.asked(row): split for row, split in zip(known.rows, known.splits, strict=True) if split != "train"
    }
    taken = {row.id for row in known.rows}
    found: list[Sifted] = []
    for content in made:
        if isinstance(content, Declined):
            found.append(Sifted(content, ""))
            continue
        content, changed, _, problem = rules.mend(content, cleaning)
        row = make_row(content)
        problem = problem or rules.chosen(content, tokenizer, cleaning, Counter())
        if not problem and (shared := contamination.find(row, sets) if sets else None):
            problem = "contaminated", f"{shared.evaluation}: {shared.span}"
        if not problem and (split := held.get(questions.asked(row))):
            problem = f"asked_in_{split}", "the question is held out"
        if not problem and row.id in taken:
            problem = "repeated", f"as {row.id}"
        if not problem:
            taken.add(row.id)
        found.append(Sifted(Declined(*problem) if problem else row, " ".join(changed)))
    stay = [place for place, (row, _) in enumerate(found) if isinstance(row, Row)]
    for number, why in _alike([found[place].row for place in stay], known, alike).items():
        found[stay[number]] = Sifted(why, "")
    return found


def _alike(made: Sequence[Row], known: Known, params: Near) -> dict[int, Declined]:
    """{place of a row that was made: why it goes} of those too similar to a held-out row, or to one of their kind."""
    if not made:
        return {}
    everything, first = ConcatenatedRows(known.rows, made), len(known.rows)
    labels = [*known.splits, *["made"] * len(made)]
    kinds = [row.kind for row in everything]
    found = near.find_pairs(RowTexts(everything, range(len(everything)), questions.text), params)
    strength = {"test": 0, "val": 1, "train": 2, "made": 3}
    pairs = [(int(b), strength[labels[a]], -similarity, int(a))
             for (a, b), similarity in zip(found.pairs.tolist(), found.similarities.tolist(), strict=True)
             if b >= first and (labels[a] in ("val", "test") or kinds[a] == kinds[b])]  # fmt: skip
    gone: dict[int, Declined] = {}
    for new, _, less, old in sorted(pairs):  # a row that goes drops none after it
        if new - first not in gone and old - first not in gone:
            gone[new - first] = Declined(f"similar_to_{labels[old]}", f"{everything[old].id} ({-less:.4f})")
    return gone
