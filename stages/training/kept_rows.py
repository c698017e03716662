"""The rows of a file that a step trains on, with their tokens; and every row that it does not, with its reason."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from modelmake.errors import UserError
from stages.params.training import Step
from stages.rows import accounting, jsonl
from stages.rows.row import Content, Row
from stages.training import tokens
from stages.training.row_renderer import RowRenderer
from stages.training.tokens import Encoded, Tokens

ADVICE = (
    "want every text of a row in what is rendered, and the assistant's words with their end token in the loss; write a "
    "chat template that does so into base.chat_template (see docs/models.md), or name fields that it may leave out in "
    "omit"
)


class Kept(NamedTuple):
    rows: list[Row]
    sides: list[list[Tokens]]  # of each row; the pieces of one that was split
    over_long: list[
        str
    ]  # sorted ids of rows that are too long: dropped, cut or split; one that the mix repeats: as often
    untrained: list[str]  # sorted ids of dropped rows of which the loss would see nothing
    read: int  # rows of the file
    longest: int  # tokens of the longest row, kept or not
    omitted: dict[str, int]  # rows of which the template leaves out {field: n}

    def counts(self) -> dict[str, Any]:
        """{rows, total, trained, longest, over_long, omitted}: numbers of rows and tokens, as the trainer reads them.

        `over_long` is a share of the file's rows. Both answers of a pair count, each with the prompt.
        """
        sides = [side for row in self.sides for side in row]
        return {
            "rows": len(self.rows),
            "total": sum(len(side.ids) for side in sides),
            "trained": sum(side.n_trained for side in sides),
            "longest": self.longest,
            "over_long": round(len(self.over_long) / self.read, 4) if self.read else 0.0,
            "omitted": self.omitted,
        }

    def account(self, params: Step) -> dict[str, Any]:
        """{in, out, dropped: {reason: n}} of the file's rows."""
        reasons = ["untrained"] * len(self.untrained)
        if params.over_long == "drop":
            reasons += ["over_long"] * len(self.over_long)
        return accounting.account(len(self.rows) + len(reasons), len(self.rows), reasons)

    def dataset(self, example: Callable[[Content, list[Tokens]], dict[str, Any]]) -> Any:
        """A datasets.Dataset of tokens, with the index of each row; None if there is no row."""
        from datasets import Dataset

        columns = [
            {**example(row.content, sides), "row": i}
            for i, (row, sides) in enumerate(zip(self.rows, self.sides, strict=True))
        ]
        return Dataset.from_list(columns) if columns else None


def read(files: list[Path], renderer: RowRenderer, params: Step, where: str) -> list[Kept]:
    """What training reads of each file: rows rendered and tokenized once, and accounted for.

    Raises:
        UserError: rows lose something on the way to their tokens, in any of the files; or one is too long and
            `over_long` is `error`.
    """
    found = []
    for file in files:
        rows = jsonl.read(file)
        found.append((file, rows, list(tokens.encode([row.content for row in rows], renderer.tokenizer, renderer))))
    problems = [f"{file}: {loss}" for file, rows, encoded in found for loss in losses(rows, encoded)]
    if problems:
        raise UserError(f"{where}: {'; '.join(problems)}: {ADVICE}")
    return [keep(rows, encoded, params, f"{where}: {file}") for file, rows, encoded in found]


def losses(rows: list[Row], encoded: list[Encoded]) -> list[str]:
    """What rows would lose, a text for each kind of loss, with the number of rows, the first, and what it loses."""
    first: dict[str, tuple[str, str]] = {}  # loss -> (id of the row, its text)
    counts: Counter[str] = Counter()
    for row, read_as in zip(rows, encoded, strict=True):
        for loss, text in read_as.losses:
            first.setdefault(loss, (row.id, text))
        counts.update({loss for loss, _ in read_as.losses})
    return [
        f"{loss} ({n} rows, first {first[loss][0]}{f': {first[loss][1][:60]!r}' if first[loss][1] else ''})"
        for loss, n in counts.most_common()
    ]


def keep(rows: list[Row], encoded: list[Encoded], params: Step, where: str) -> Kept:
    """The rows to train on, by `max_length` and `over_long`.

    Raises:
        UserError: a row is too long and `over_long` is `error`.
    """
    longest = max((row.length for row in encoded), default=0)
    long = sorted(row.id for row, read_as in zip(rows, encoded, strict=True) if read_as.length > params.max_length)
    if long and params.over_long == "error":
        raise UserError(
            f"{where}: {len(long)} rows above max_length = {params.max_length} tokens (longest "
            f"{longest}, first {long[0]}): want none; raise it, or set over_long to drop"
        )
    kept, untrained = [], []
    for row, read_as in zip(rows, encoded, strict=True):
        if read_as.length > params.max_length and params.over_long == "drop":
            continue
        if params.over_long == "split":
            sides = [piece for side in read_as.sides for piece in side.pieces(params.max_length)]
        else:
            sides = [side.cut(params.max_length) for side in read_as.sides]
        enough = any if params.over_long == "split" else all  # pieces of one text, or the answers of a row
        if read_as.prompt_only or enough(side.n_trained for side in sides):
            kept.append((row, sides, read_as.omitted))
        else:
            untrained.append(row.id)
    omitted = Counter(field for _, _, fields in kept for field in fields)
    return Kept(
        [row for row, _, _ in kept], [sides for _, sides, _ in kept],
        long, sorted(untrained), len(rows), longest, dict(sorted(omitted.items())),
    )  # fmt: skip
