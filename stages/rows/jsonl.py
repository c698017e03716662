"""Files of rows: JSONL, sorted by id."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from modelmake.errors import UserError
from stages.rows.row import Row


def read(path: Path) -> list[Row]:
    """The rows of a JSONL file.

    Raises:
        UserError: a line is no canonical row.
    """
    return list(each(path))


def each(path: Path) -> Iterator[Row]:
    """The rows of a JSONL file, one after the other; raises as `read` does."""
    decoder = msgspec.json.Decoder(Row)
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                yield decoder.decode(line)
            except msgspec.MsgspecError as error:
                raise UserError(
                    f"{path}:{number}: {error}: want a canonical row; rebuild it with `dvc repro`"
                ) from None


def write(path: Path, rows: Iterable[Row]) -> None:
    """Writes rows as JSONL, sorted by id, so that the order of the source never shows."""
    encoder = msgspec.json.Encoder()
    with path.open("wb") as file:
        for item in sorted(rows, key=lambda r: r.id):
            file.write(encoder.encode(item) + b"\n")
