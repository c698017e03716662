"""Makes a suite of rows from elsewhere, or of rows whose questions are written otherwise: with slips, without spaces,
in one case, without their system prompt.

Inputs:  rows    JSONL canonical rows, as `split` wrote them; or a file of chats in any format that `ingest` reads
Outputs: varied  JSONL canonical rows {id, content}, sorted by id; an edited row has an id of its own
         report  JSON {in, out, dropped, changed: rows that edits changed}; dropped: rows that were equal or
                 that edits made equal
Params:  evaluate.variants.<variant>
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from modelmake import harness
from modelmake.errors import UserError
from modelmake.signature import In, Out
from stages.evaluating.edits import edited
from stages.params.variation import Variant
from stages.rows import accounting, jsonl
from stages.rows.row import Row, make_row
from stages.splitting import golden_set


def read(path: Path) -> list[Row]:
    """The rows of a file, whether they are canonical or of a format of chats.

    Raises:
        UserError: the file cannot be read, or has no rows.
    """
    with path.open("rb") as file:
        first = next((line for line in file if line.strip()), b"")
    try:
        msgspec.json.decode(first, type=Row)
    except msgspec.MsgspecError:
        rows = golden_set.chats(path)
    else:
        rows = jsonl.read(path)
    if not rows:
        raise UserError(f"{path}: no rows: want some for a suite")
    return rows


def rewritten(rows: list[Row], params: Variant) -> Iterator[tuple[str, Row]]:
    """(id of the row before, the row with an id of its own)."""
    for row in rows:
        yield row.id, make_row(edited(row, params).content)


def main(rows: In, varied: Out, report: Out, variant: str, params: Variant) -> str:
    found = read(rows)
    made: dict[str, Row] = {}
    changed, repeated = 0, 0
    for id, row in rewritten(found, params):
        changed += id != row.id
        repeated += row.id in made
        made[row.id] = row
    if params.edits() and not changed:
        raise UserError(
            f"{rows}: evaluate.variants.{variant} changes none of {len(found)} rows: want edits that do, or no variant"
        )
    jsonl.write(varied, (Row(row.id, row.content) for row in made.values()))
    counts = accounting.account(len(found), len(made), ["repeated"] * repeated)
    accounting.write_json(report, {**counts, "changed": changed})
    return f"{accounting.summary(counts)}; {changed} rows written otherwise"


if __name__ == "__main__":
    harness.run(main)
