"""JSONL files of canonical rows, sorted by id."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from modelmake.errors import UserError
from stages.rows.row import Row


def read(path: Path) -> list[Row]:
    """All rows of a file.

    Raises:
        UserError: a line is not a canonical row.
    """
    return list(iter_rows(path))


def iter_rows(path: Path) -> Iterator[Row]:
    """The rows of a file, decoded one at a time.

    Raises:
        UserError: a line is not a canonical row.
    """
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
    """Writes rows sorted by id, so that the bytes do not depend on the order of the rows."""
    encoder = msgspec.json.Encoder()
    with path.open("wb") as file:
        for row in sorted(rows, key=lambda r: r.id):
            file.write(encoder.encode(row) + b"\n")
