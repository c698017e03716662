"""Rows in a temporary file by id, with only ids and offsets in memory."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from stages.rows.row import Row


class RowStore:
    """A dict of rows on disk, iterated in ascending order of ids; closing it deletes the file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 (closed on exit)
        self._offsets: dict[str, int] = {}
        self._end = 0
        self._encoder, self._decoder = msgspec.json.Encoder(), msgspec.json.Decoder(Row)

    def __enter__(self) -> "RowStore":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._offsets)

    def __iter__(self) -> Iterator[Row]:
        return map(self._decoder.decode, self._lines())

    def put(self, row: Row) -> None:
        """Adds a row, or replaces the one with its id."""
        line = self._encoder.encode(row) + b"\n"
        self._file.seek(self._end)
        self._file.write(line)
        self._offsets[row.id] = self._end
        self._end += len(line)

    def get(self, id: str) -> Row | None:
        """The row with this id, if there is one."""
        if id not in self._offsets:
            return None
        self._file.seek(self._offsets[id])
        return self._decoder.decode(self._file.readline())

    def remove(self, id: str) -> None:
        del self._offsets[id]

    def write(self, path: Path) -> None:
        """Writes all rows to a file, as `jsonl.write` does."""
        with path.open("wb") as file:
            file.writelines(self._lines())

    def _lines(self) -> Iterator[bytes]:
        for id in sorted(self._offsets):
            self._file.seek(self._offsets[id])
            yield self._file.readline()
