"""Edits while a stage runs, after it has read its inputs and before its first output. `before` makes that stage stale.

Stages in `must` have to run once more after the edit: the tool is run again, as its message asks or a user would.
Stages in `may` were stale before the edit and may still have to run.
"""

from benchmarks.edits.data import MESSAGES, SHOWN, reversed_rows
from benchmarks.edits.edit import Edit, lines, params, replace

SEED = params("bands: 16, seed: 1, threads: 1}", "bands: 16, seed: 2, threads: 1}")
TITLE = params("title: Support desk", "title: Help desk")

EDITS = {
    "raw data, while ingest reads it": Edit(
        lines(MESSAGES, lambda rows: [*rows, rows[3]]), {*SHOWN, "mix"}, "it read the rows before",
        before=reversed_rows, during="ingest",
    ),
    "its code, while clean runs": Edit(
        replace("stages/cleaning/repair.py", "CONTROL.search(text)", "CONTROL.search(str(text))"), {"clean"},
        "the old code ran", {"augment"}, before=params("max_chars: 2000", "max_chars: 1999"), during="clean",
    ),
    "a helper two imports away, while dedup runs": Edit(
        replace("stages/similarity/shingles.py", "text.lower().split()", "text.casefold().split()"),
        {"dedup", "split", "datasheet"}, "the old code ran", {"augment", "report"}, before=SEED, during="dedup",
        suite=True,
    ),
    "its parameter, while report runs": Edit(
        params("title: Help desk", "title: Desk"), {"report"}, "it used the value before", before=TITLE,
        during="report",
    ),
    "the code of a later stage": Edit(
        replace("stages/reporting/answers_table.py", "MIN_SIMILARITY = 0.3 ", "MIN_SIMILARITY = 0.31 "), {"report"},
        "preflight saw the code before", before=reversed_rows, during="ingest",
    ),
}  # fmt: skip
